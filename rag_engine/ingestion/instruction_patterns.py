"""Words that instruct a language model, in the languages they are mostly met in, and the marks between a chat's turns.

A pattern is only tried around the rare words that belong to it, its anchors, so that a text without these costs little
more than looking for them. Texts are matched in lower case. The patterns are narrow on purpose: "ignore the previous
instructions" is one, "ignore errors" and "you are now ready" are not. They follow Perez and Ribeiro 2022
(arXiv:2211.09527), Greshake et al. 2023 (arXiv:2302.12173), and OWASP's LLM01.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Regular expressions by anchor. They are compiled when an anchor is met: together they take longer than most files.
Patterns = Mapping[str, Sequence[str]]
# Characters around an anchor in which its patterns are tried.
REACH = 160

_FEW = r"(?:[^\w.;]+\w+){0,3}?[^\w.;]+"  # at most three words, within a sentence
_ONE = r"(?:\w+[^\w.;]+)?"
_BEFORE = r"(?:previous|prior|above|preceding|earlier|former|foregoing|original|initial|system|other)"
_TOLD = r"(?:instruction|prompt|direction|directive|guideline)s?\b"
_MODEL = (
    r"(?:(?:an?|the|any|all) )?(?:(?:large )?language models?|llms?|chatbots?|"
    r"ai(?: (?:language )?(?:assistants?|models?|agents?|systems?|reviewers?|bots?|chatbots?))?)\b"
)


def _by_anchor(*groups: tuple[str, str]) -> Patterns:
    """Patterns by anchor, from pairs of anchors, parted by commas, and what they are anchors of."""
    found: dict[str, list[str]] = {}
    for anchors, pattern in groups:
        for anchor in anchors.split(","):
            found.setdefault(anchor, []).append(pattern)
    return found


IN_LATIN = _by_anchor(
    (
        "instruction,prompt,directi,guideline",
        r"\b(?:(?:ignore|disregard|forget|override|bypass|do not follow|don't follow|stop following)"
        rf"{_FEW}{_BEFORE}[^\w.;]+{_ONE}{_ONE}|(?:ignore|disregard|forget) (?:all |any )?(?:of )?your {_ONE}){_TOLD}",
    ),
    (
        "instruction,prompt",
        r"\b(?:reveal|print|output|repeat|show|display|leak|disclose|expose|tell me)"
        rf"{_FEW}(?:your|the) {_ONE}(?:system|initial|hidden|secret) (?:prompt|instructions)\b",
    ),
    (
        "you are n,from now on",
        r"\b(?:you are now|you are no longer|from now on,? you are) (?:acting as |to act as )?(?:\w+[- ]){0,3}?"
        rf"(?:dan\b|jailbroken|unrestricted|uncensored|{_MODEL})"
        r"(?! (?:engineer|developer|researcher|scientist|expert|company|user|designer|specialist))",
    ),
    (
        " ai,llm,language model,chatbot",
        rf"\b(?:instructions?|note|message|attention|notice) (?:to|for) {_MODEL}\s*[:!]",
    ),
    (
        "if you are a",
        rf"\bif you are {_MODEL}[^.\n]{{0,80}}?\b(?:you must|you should|please|do not|ignore|say|give|output|write)\b",
    ),
    ("positive review", r"\bgive (?:a )?positive reviews? only\b"),
    ("any negatives", r"\bdo not highlight any negatives\b"),
    (  # German
        "anweisung,instruktion,prompt,befehle,vorgabe",
        r"\b(?:ignorier(?:e|t|en sie)|missacht(?:e|en sie)|vergiss|vergessen sie)"
        rf"{_FEW}(?:vorherige|vorige|bisherige|obige|frühere|vorangegangene|vorangehende|vorstehende)[nrs]?[^\w.;]+{_ONE}"
        r"(?:anweisung|instruktion|befehl|vorgabe|prompt)(?:en|e|s)?\b",
    ),
    (  # French
        "instruction,consigne,directive",
        r"\b(?:ignore[rz]?|oublie[rz]?|ne (?:tiens|tenez) pas compte)"
        rf"{_FEW}(?:instruction|consigne|directive)s?[^\w.;]+{_ONE}(?:précédent|antérieur|préalable|ci-dessus)",
    ),
    (  # Spanish and Portuguese
        "instrucciones,indicaciones,directrices,instruções,orientações,diretrizes",
        r"\b(?:ignor(?:a|e|ar|en|em)|olvid(?:a|e|ar|en)|desestima|haz caso omiso|esqueça|desconsidere)"
        rf"{_FEW}(?:instrucciones|indicaciones|directrices|instruções|orientações|diretrizes)[^\w.;]+{_ONE}"
        r"(?:anteriores|previas|precedentes|prévias|acima|arriba)",
    ),
    (  # Italian
        "istruzioni,direttive",
        rf"\b(?:ignora(?:te|re)?|dimentica(?:te|re)?){_FEW}(?:istruzioni|direttive)[^\w.;]+{_ONE}"
        r"(?:precedenti|anteriori|sopra)",
    ),
    (  # Dutch
        "instructies,opdrachten,aanwijzingen,prompt",
        rf"\b(?:negeer|vergeet){_FEW}(?:vorige|voorgaande|eerdere|bovenstaande)[^\w.;]+{_ONE}"
        r"(?:instructies|opdrachten|aanwijzingen|prompts)",
    ),
    (  # Polish
        "instrukcj,poleceni",
        rf"\b(?:z?ignoruj|zapomnij){_FEW}(?:poprzedni|wcześniejsz|powyższ)\w*[^\w.;]+{_ONE}(?:instrukcj|poleceni)",
    ),
    (  # Turkish
        "talimat",
        r"\b(?:önceki|yukarıdaki)(?: tüm| bütün)? talimat\w*(?: \w+)? (?:yok say|unut|görmezden gel|dikkate alma)",
    ),
)
IN_OTHER_SCRIPTS = _by_anchor(
    (  # Russian and Ukrainian
        "инструкц,указани,інструкц",
        rf"\b(?:проигнорируй|игнорируй|забудь|ігноруй)\w*{_FEW}(?:предыдущ|прежн|вышеуказанн|вышеприведенн|попередн)\w*"
        rf"[^\w.;]+{_ONE}(?:инструкц|указани|інструкц)",
    ),
    (  # Chinese
        "忽略,无视,無視,忘记,忘記,忽視",
        "(?:忽略|无视|無視|忘记|忘記|忽視)[^。\n]{0,8}?(?:之前|以上|上述|前面|先前|此前)[^。\n]{0,6}?"
        "(?:指令|指示|提示|命令|说明|說明)",
    ),
    (  # Japanese
        "無視,を忘れ",
        "(?:これまで|以前|上記|前述|今まで)の[^。\n]{0,8}?(?:指示|命令|プロンプト|指令)[^。\n]{0,6}?(?:無視|を忘れ)",
    ),
    ("무시,잊어", "(?:이전|앞선|위의)[^.\n]{0,8}?(?:지시|명령|프롬프트)[^.\n]{0,8}?(?:무시|잊어)"),  # Korean
    ("تجاهل", "تجاهل[^.\n]{0,12}?(?:التعليمات|الأوامر|تعليمات)[^.\n]{0,8}?(?:السابقة|أعلاه)"),  # Arabic
    ("निर्देश,आदेश", "(?:पिछले|पूर्व)[^।\n]{0,10}?(?:निर्देश|आदेश)[^।\n]{0,14}?(?:अनदेखा|नज़रअंदाज़|भूल)"),  # Hindi
)

# ChatML, Llama 2 and 3, Gemma, Alpaca, and Claude's first format.
CHAT_MARKUP = _by_anchor(
    (
        "<|",
        r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|endofprompt|eot_id|start_header_id|end_header_id|"
        r"begin_of_text|end_of_text|end_of_turn)\|>",
    ),
    ("inst]", r"\[/?inst\]"),
    ("sys>>", "<</?sys>>"),
    ("<start_of_turn>", "<start_of_turn>"),
    ("### instruction:", r"(?:^|(?<=\n))### instruction:[^\S\n]*(?=\n)"),
    ("human:", r"(?:^|(?<=\n\n))human:[^\n]*\n(?:[^\n]+\n)*\n?assistant:"),
)
