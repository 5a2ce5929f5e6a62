from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_engine.semantic_chunking import split_sentences


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["One sentence.", "Another one!", "A third?"],
        ["No stop at the end"],
        ["Dr. Smith met Mrs. Jones at St. Mary's.", "They talked."],
        ["She moved to the U.S. in 1990.", "He stayed."],
        ["He lives in the U.S.", "The house is old."],
        ["The U.S. Congress met."],
        ["See Fig. 3 and Eq. 4 for details.", "They agree."],
        ["Use a tool, e.g. Grep, i.e. a search tool.", "Then stop."],
        ["Apples, pears, etc. are fruit.", "Cars are not."],
        ["Take No. 5 from the list.", "He said no.", "Then he left."],
        ["Pi is 3.14 and e is 2.72.", "Both are irrational."],
        ["J. R. R. Tolkien wrote it.", "C. S. Lewis did not."],
        ["Smith et al. (2020) found it.", "Jones et al. did not."],
        ["It opens at 9 a.m. and closes at 5 p.m. every day.", "Come early."],
        ["Acme Inc. was founded first.", "Beta Ltd. followed."],
        ["Well... maybe.", "Or not..."],
        ["And then… silence.", "Nothing moved."],
        ['"Stop!" he said.', '"Why?" she asked.'],
        ['He said "It is late."', "She agreed."],
        ["(This is an aside.)", "This is not."],
        ["It works (approx. 90 % of the time).", "Good."],
        ["Really?!", "Yes!!!", "What??"],
        ["See https://example.org/a.b?c=d. It is short."],
        ["Read README.md first.", "Then run setup.py twice."],
        ["Version 1.2.3 is out.", "Upgrade now."],
        ["It was shown.[12]", "Later work disagreed.[3,4]", "So did ours."],
        ["**Bold ends here.**", "Plain follows."],
        ["1. First things first.", "Then the rest."],
        ["Er kam am 3. Oktober 1990 an.", "Es war z. B. kalt, d.h. unter null."],
        ["Das 19. Jahrhundert endete.", "Prof. Müller war dabei."],
        ["这是第一句。", "这是第二句！", "真的吗？"],
        ["他说：“你好。”", "她笑了。"],
        ["これはペンです。", "それは本です。"],
        ["यह पहला वाक्य है।", "यह दूसरा है।"],
        ["هل هذا صحيح؟", "نعم، إنه صحيح."],
        ["Τι κάνεις;", "Καλά είμαι."],
        ["A clause; another clause.", "End."],
        ["the tokenised text .", "the next one ."],
    ],
    ids=lambda expected: expected[0][:30],
)
def test_sentences_are_found_as_a_reader_finds_them(expected: list[str]) -> None:
    joiner = "" if "。" in expected[0] else " "
    text = joiner.join(expected)
    if expected[0].startswith("See https"):
        expected = ["See https://example.org/a.b?c=d.", "It is short."]
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        # Abbreviations of many languages, each before a word that could open a sentence.
        "Er traf Dr. med. Meyer und die Fa. Müller, d. h. u. a. Schmidt.",
        "Sono l'Ing. Rossi e l'Avv. Bianchi.",
        "Soy el Lic. Pastoriza, de los EE. UU. y de la Dra. Ruiz.",
        "Купил в г. Москве на ул. Ленина, д. 5, см. табл. 4.",
        "Ο κ. Παπαδόπουλος ήρθε.",
        "डॉ. शर्मा आए।",
        "قال د. أحمد ذلك.",
        "Ing. Novák a MUDr. Dvořák přišli.",
        "Zie blz. 12 en art. 5 hier.",
        "W. E. B. Du Bois wrote it.",
        # Letters without a vowel are no word.
        "De holdt Skt. Hans i byen.",
        "В 2010-2012 гг. Виктор уехал.",
        # Ordinals and dates.
        "Das 2. Semester und der 3. Stock.",
        "회의는 2024. 3. 15. 오후에 열린다.",
        "It is due on Dec. 31 or Sept. 5.",
        # Omissions and remarks in brackets.
        "He came [...] He saw (!) Rome.",
        "Well ... I suppose . . . I could.",
        # Quotations and brackets that are short.
        "“It ended. Nobody wept,” he said.",
        "„Es ist aus. Geh heim“, sagte er.",
        "«C'est fini. Va-t'en», dit-il.",
        '"It ended. Nobody wept," he said.',
        "It ended (or so. They say. Perhaps) at last.",
        "我们去看《摔跤吧！爸爸》好吗？",
        "« Où vas-tu ? » demanda-t-elle.",
        "「どこへ行くの？」と彼女は聞いた。",
        "“快跑！”他喊道。",
        # A dash that is set apart goes on.
        "— Где ты? — спросил он.",
    ],
)
def test_a_stop_within_a_sentence_does_not_end_it(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "expected",
    [
        ["We saw the sun.", "Birds sang."],  # a day only with a capital
        ["Ich helfe dir.", "Danach gehe ich."],  # a title only with a capital
        ["It fell in 430 BC.", "Rome stood."],  # acronyms lack vowels too
        ["I don't.", "You do."],
        ["iPhone sales fell.", "iPad sales rose."],
        ["I never meant that....", "She left."],
        ["It ended there . . . .", "Next came peace."],
        ["Er sagte: »Ich gehe.«", "Sie blieb."],
        ['He said, " it is late . "', "She left ."],
        ["«¿Vienes?», preguntó.", "—No —dijo él."],
        ["Բարև Ձեզ:", "Իմ անունն Արմինե է:"],
        ["Lad os spørge Jane og co.", "De burde vide det."],
        ["He lives at 5 Main st.", "There is no other."],
    ],
    ids=lambda expected: expected[0][:30],
)
def test_a_sentence_ends_where_the_next_begins(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_a_long_quotation_is_cut_between_its_sentences() -> None:
    assert len(sentences("“" + "It ended there and then. " * 20 + "Nobody wept.”")) > 10


@pytest.mark.parametrize(
    "expected",
    [
        ["እንደምን አለህ፧", "መልካም ቀን።"],
        ["ང་འགྲོ་གི་ཡོད།", "ཁྱེད་རང་གང་དུ།"],
        ["七年战争。", "“七年”是指时间。"],
        ["ខ្ញុំទៅ។", "គាត់នៅ។"],
    ],
)
def test_stops_of_other_scripts_need_no_space(expected: list[str]) -> None:
    assert sentences("".join(expected)) == expected


def test_thai_is_cut_at_spaces_into_phrases() -> None:
    phrases = ["กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย", "เด็กๆ วิ่งเล่นกันอย่างสนุกสนานจนถึงตอนเย็น"]
    assert sentences(" ".join(phrases)) == phrases


def test_a_number_in_thai_goes_on_with_its_phrase() -> None:
    text = "มีประชากรมากกว่าที่เคยมีมาในอดีตคือประมาณ 10 ล้านคน"
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "items",
    [
        ["1) The first", "2) The second", "3) The third"],
        ["1.) The first", "2.) The second"],
        ["9. The first", "10. The second"],
        ["a. The first", "b. The second", "c. The third"],
        ["• 9. The first", "• 10. The second"],
        ["⁃9. The first", "⁃10. The second"],
    ],
)
def test_items_of_a_list_within_a_line_are_sentences(items: list[str]) -> None:
    assert sentences(" ".join(items)) == items


@pytest.mark.parametrize("text", ["1) See (chapter 5) of it", "1. See chapter 5. of it", "Купить 1)рыбу 2)соль"])
def test_a_number_that_is_not_the_next_opens_no_item(text: str) -> None:
    assert sentences(text) == [text]


def test_lettered_clauses_on_lines_of_their_own_are_sentences() -> None:
    clauses = ["It shall not be disclosed;", "b. It shall be returned.", "c. Waiver."]
    assert sentences("\n".join(clauses)) == clauses


def test_an_unclosed_quotation_holds_nothing_together() -> None:
    assert sentences("“It ended. Nobody wept. She left.") == ["“It ended.", "Nobody wept.", "She left."]


def test_a_quotation_does_not_reach_into_the_next_paragraph() -> None:
    assert sentences("(It ended. Here\n\nis more) now.") == ["(It ended.", "Here", "is more) now."]


def test_a_blank_line_ends_a_sentence_and_a_single_break_does_not() -> None:
    assert sentences("A line that\ngoes on\n\nAnother  paragraph\r\n \r\nThird") == [
        "A line that\ngoes on",
        "Another  paragraph",
        "Third",
    ]


def test_list_items_and_headings_are_sentences_of_their_own() -> None:
    text = "# Fruit\nWe sell:\n- apples\n- pears from\n  Spain\n1) one\n(b) two"
    assert sentences(text) == ["# Fruit", "We sell:", "- apples", "- pears from\n  Spain", "1) one", "(b) two"]


@pytest.mark.parametrize(
    "lines",
    [
        ["name: Hawks; city: Atlanta", "name: Bulls; city: Chicago"],
        ["team | city", "Hawks | Atlanta"],
        ["| team | city |", "| --- | --- |", "| Hawks | Atlanta |"],
    ],
)
def test_each_line_of_a_table_or_of_records_is_a_sentence(lines: list[str]) -> None:
    assert sentences("\n".join(lines)) == lines


def test_a_wrapped_line_with_a_colon_is_no_record() -> None:
    text = "Note: the engine needs\ntwo things: a catalog and\nsome space"
    assert sentences(text) == [text]


def test_a_wrapped_line_that_begins_with_a_number_is_no_item() -> None:
    assert sentences("The sum rose to\n12. It fell later.") == ["The sum rose to\n12.", "It fell later."]


def test_an_all_lower_case_text_is_still_split() -> None:
    assert sentences("first it rains. then it pours, e.g. in spring.") == [
        "first it rains.",
        "then it pours, e.g. in spring.",
    ]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t", "\u3000"])
def test_white_space_has_no_sentences(text: str) -> None:
    assert split_sentences(text) == []


PIECES = st.sampled_from(
    [
        ". ",
        ".",
        "!",
        "? ",
        "…",
        "。",
        "؟",
        "।",
        ";",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "\t",
        '"',
        "”",
        ")",
        "[1]",
        "- ",
        "1. ",
        "# ",
        "Dr",
        "e.g",
        "A",
        "a",
        "5",
        "Word",
        "word",
        "е́",
        "👩‍💻",
        "\u0301",
        "\ufe0f",
        "\u2029",
        "\x0b",
        "中文",
        "“",
        "«",
        "»",
        "(",
        "[",
        "「",
        "》",
        "•",
        "2)",
        "ก",
        "Ա:",
        ":",
        " . ",
    ]
)


@given(st.lists(PIECES, max_size=60).map("".join) | st.text(max_size=200))
def test_spans_are_ordered_trimmed_and_cover_every_visible_character(text: str) -> None:
    position = 0
    for start, end in split_sentences(text):
        assert not text[position:start].strip()
        assert text[start:end] == text[start:end].strip() != ""
        position = end
    assert not text[position:].strip()


@pytest.mark.parametrize(
    "text",
    [
        "word " * 200_000,
        "." * 1_000_000 + "x",
        ".)" * 500_000 + "x",
        " " * 1_000_000 + "x",
        " \n" * 500_000 + "x",
        "x" * 1_000_000,
        "e.g. " * 200_000,
        "[1" * 500_000,
        '."' * 500_000,
        "a. " * 300_000,
        "(a. " * 250_000,
        '". ' * 300_000,
        "1) " * 300_000,
        "• " * 500_000,
        ". " * 500_000,
        "ก " * 300_000,
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_megabyte_without_sentences_is_read_in_one_pass(text: str) -> None:
    # A quadratic rule would not come back from these within the run.
    spans = split_sentences(text)
    assert spans[0][0] == len(text) - len(text.lstrip())
    assert spans[-1][1] == len(text.rstrip())
