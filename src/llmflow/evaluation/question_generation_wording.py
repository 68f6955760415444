"""Questions in words: one template a kind of fact and language, with the particle that the last syllable asks for.

>>> with_particle("연차", "은", "는"), with_particle("휴가 규정", "은", "는"), with_particle("VPN", "은", "는")
('연차는', '휴가 규정은', 'VPN은(는)')
"""

from llmflow.evaluation.question_generation_facts import Fact


def with_particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """Return the word with the right one of two particles; both where the last sign is no Hangul syllable."""
    last = word.rstrip("\"'”’」』)] ")[-1:]
    if not "가" <= last <= "힣":
        return f"{word}{after_consonant}({after_vowel})"
    return word + (after_consonant if (ord(last) - ord("가")) % 28 else after_vowel)


def _named(term: str) -> str:
    spoken = with_particle(term, "이란", "란")
    return f"{term}(이)란" if spoken.endswith("(란)") else spoken


def ask_fact(fact: Fact) -> str:
    """Return the question whose answer is the fact's value."""
    korean = fact.language == "ko"
    if fact.template == "figure":
        return fact.attribute
    if fact.template == "definition":
        return f"{_named(fact.subject)} 무엇인가요?" if korean else f"What is meant by {fact.subject}?"
    if fact.template == "section":
        if korean:
            return f"{fact.subject}에서 {fact.attribute}에 대해 어떻게 정하거나 설명하고 있나요?"
        return f"What does {fact.subject} say about {fact.attribute}?"
    if korean:
        return f"{fact.subject}의 {with_particle(fact.attribute, '은', '는')} 무엇인가요?"
    return f"What is the {fact.attribute} of {fact.subject}?"


def ask_lookup_of_value(first: Fact, second: Fact) -> str:
    """Return the question for the second fact's value whose subject is only told as the first fact's value."""
    if first.language == "ko":
        asked = with_particle(second.attribute, "은", "는")
        return f"{first.subject}의 {first.attribute}에 해당하는 곳 또는 항목의 {asked} 무엇인가요?"
    return f"What is the {second.attribute} of whatever is the {first.attribute} of {first.subject}?"


def ask_section_about_value(first: Fact, section: Fact) -> str:
    """Return the question for what a document says about the value of the first fact, without naming it."""
    if first.language == "ko":
        named = with_particle(f"{first.subject}의 {first.attribute}", "을", "를")
        return f"{named} 찾아보면, {section.title}에서 그에 대해 어떻게 설명하고 있나요?"
    return f"What does {section.title} say about the {first.attribute} of {first.subject}?"


def ask_missing(subject: Fact, attribute: Fact) -> str:
    """Return the question for an attribute that the corpus knows of other subjects only."""
    if subject.language == "ko":
        return f"{subject.subject}의 {with_particle(attribute.attribute, '은', '는')} 무엇인가요?"
    return f"What is the {attribute.attribute} of {subject.subject}?"
