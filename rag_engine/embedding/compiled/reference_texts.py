"""Texts on which a compiled model is held against the original, and by which the ranges of int8 are found.

Sixteen subjects of four sentences each, so that every text has neighbours that a faithful model keeps; among them
languages, code, numbers and tables. The four sentences joined are a passage, so that long inputs are measured too.
"""

from __future__ import annotations

SUBJECTS = (
    (
        "The heart pumps oxygen-poor blood into the lungs and oxygen-rich blood into the body.",
        "Each day an adult's heart beats about one hundred thousand times.",
        "Valves between the chambers keep blood from flowing back into the atria.",
        "High blood pressure makes the left ventricle thicker over the years.",
    ),
    (
        "A refund is granted within thirty days when the product is faulty or was never delivered.",
        "The buyer sends the receipt with the claim; the shop answers within five working days.",
        "No money is returned for gift cards, downloads, or goods made to measure.",
        "Refunds go back to the card that paid, usually in three to seven business days.",
    ),
    (
        "def binary_search(items, target):\n    low, high = 0, len(items) - 1\n    while low <= high:\n"
        "        middle = (low + high) // 2",
        "for (int i = 0; i < n; ++i) { if (values[i] > best) { best = values[i]; index = i; } }",
        "SELECT customer, SUM(amount) FROM orders WHERE year = 2024 GROUP BY customer HAVING SUM(amount) > 1000;",
        "The function raises ValueError when the list is empty, and returns -1 when nothing was found.",
    ),
    (
        "Photosynthesis turns carbon dioxide and water into glucose, with light as the source of energy.",
        "Chlorophyll absorbs blue and red light and reflects green, which is why leaves look green.",
        "In the Calvin cycle, carbon is fixed by the enzyme rubisco inside the chloroplast.",
        "Plants close their stomata in dry weather, and so take up less carbon dioxide.",
    ),
    (
        "The tenant may end the lease with three months' notice, in writing, to the end of any month.",
        "The landlord keeps the deposit until the flat has been handed over and inspected.",
        "Subletting without consent entitles the landlord to terminate the contract at once.",
        "This agreement is governed by the laws of the State of New York.",
    ),
    (
        "Interest rates were raised by half a point to 4.75 % to slow inflation.",
        "Shares of the bank fell by 3.2 % after it reported a loss of 410 million dollars.",
        "The central bank expects prices to rise by two per cent next year.",
        "Unemployment reached its lowest level in forty years, although growth was weak.",
    ),
    (
        "The treaty ending the war was signed in the hall of mirrors at Versailles in June 1919.",
        "Napoleon was defeated at Waterloo on 18 June 1815 by Wellington and Blücher.",
        "The Roman Empire was divided for good after the death of Theodosius in 395.",
        "Gutenberg printed the first book with movable type in Mainz around 1450.",
    ),
    (
        "The midfielder scored twice in the last ten minutes, and the home team won 3-1.",
        "She ran the marathon in two hours and fourteen minutes, a new world record.",
        "The referee sent the goalkeeper off after a foul outside the penalty area.",
        "Tickets for the final were sold out within an hour.",
    ),
    (
        "Whisk the eggs with sugar until pale, then fold in the flour and the melted butter.",
        "Bake for twenty-five minutes at 180 degrees, until a needle comes out clean.",
        "Let the dough rest overnight in the refrigerator so that it becomes elastic.",
        "Simmer the tomatoes with garlic, basil and a little olive oil for half an hour.",
    ),
    (
        "Der Vertrag kann mit einer Frist von drei Monaten zum Monatsende gekündigt werden.",
        "Die Kaution beträgt höchstens drei Monatsmieten ohne Nebenkosten.",
        "Bei einem Mangel der Wohnung darf die Miete angemessen gemindert werden.",
        "Der Vermieter muss die Abrechnung innerhalb von zwölf Monaten vorlegen.",
    ),
    (
        "La fotosíntesis convierte la energía de la luz en energía química.",
        "Les plantes absorbent le dioxyde de carbone et libèrent de l'oxygène.",
        "Il cuore batte circa centomila volte al giorno.",
        "O contrato pode ser rescindido com um aviso prévio de trinta dias.",
    ),
    (
        "黑豹队的防守只丢了 308 分，在联赛中排名第六。",
        "所有幸福的家庭都是相似的，不幸的家庭各有各的不幸。",
        "この機械は毎分三百枚の紙を印刷できます。",
        "심장은 하루에 약 십만 번 뛴다.",
    ),
    (
        "Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.",
        "Договор вступает в силу с момента его подписания обеими сторонами.",
        "القلب يضخ الدم إلى جميع أنحاء الجسم.",
        "पौधे सूर्य के प्रकाश से अपना भोजन बनाते हैं।",
    ),
    (
        "| year | revenue | cost |\n| 2023 | 2.9 M | 2.6 M |\n| 2024 | 3.1 M | 2.7 M |",
        "id,name,price\n17,Lamp,39.90\n18,Desk,240.00\n19,Chair,89.50",
        "Total assets of $1,204,500 (2022: $1,187,300); net income of $88,410.",
        "Model X-200: weight 4.2 kg, 12 V, 3.5 A, IP67, -20 °C to +60 °C, part no. 88-4410-B.",
    ),
    (
        "Mix-ups of the two drugs led to 14 deaths; the trial (n = 2,113) found no benefit (p = 0.41).",
        "The monoclonal antibody binds to the spike protein with a dissociation constant of 0.7 nM.",
        "Mutations in BRCA1 raise the lifetime risk of breast cancer to about 70 per cent.",
        "The vaccine was 94 % effective against symptomatic infection after the second dose.",
    ),
    (
        "Why is the sky blue?",
        "how do i reset my password",
        "who wrote the opera about the barber of seville",
        "what is the difference between a virus and a bacterium",
    ),
)

SENTENCES = tuple(sentence for subject in SUBJECTS for sentence in subject)
PASSAGES = tuple(" ".join(subject) for subject in SUBJECTS)
LONG_PASSAGES = tuple(
    "\n\n".join(PASSAGES[(start + step) % len(PASSAGES)] for step in range(3)) for start in range(0, len(PASSAGES), 2)
)
REFERENCE_TEXTS = (*SENTENCES, *PASSAGES, *LONG_PASSAGES)
