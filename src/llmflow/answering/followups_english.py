"""English follow-up questions made to stand alone by rule: pronouns, ellipsis (`What about SEV2?`), questions without a subject.

There is no tagger here: words of grammar are listed, and what stands between them is a noun phrase or a verb.
"""

import re
from collections.abc import Sequence

CONNECTIVE = re.compile(r"^(?:(?:and|but|so|ok|okay|also|then|well|or|now)\b[, ]*)+", re.I)
ELLIPSIS = re.compile(
    r"^(?:(?:what|how) about|and what about|and how about|and|or|also|same for|the same for)\s+(?P<said>.+?)[?.!]*$", re.I
)
BARE = re.compile(r"^(?P<said>(?:for|in|at|on|with|from|to|by|after|before|up to|over|under|above)\s+.+?)[?.!]*$", re.I)
PRONOUN = re.compile(r"\b(it|its|they|them|their|theirs|this|that|these|those|there|he|she|him|her|his)\b", re.I)
AUXILIARY = frozenset(
    "is are was were be been being am do does did can could may might must shall should will would has have had".split()
)
GRAMMAR = AUXILIARY | frozenset(
    "a an the of for in on at to from by with without within into onto per and or but if when while after before "
    "until since about as than then so not no what which who whom whose where why how much many long often soon fast "
    "quickly late far old big i we you he she it they them us me my our your his her its their this that these those "
    "there up out over under above below more most less one ones any some all each every only also too very just "
    "please ever still yet again".split()
)
GENERIC = frozenset(
    "deadline limit extension contact number approval approver form cost price fee amount budget rule rules exception "
    "exceptions step steps procedure process reason purpose condition conditions requirement requirements document "
    "documents receipt receipts address place location room floor office team unit department owner manager person "
    "people time date day days week weeks month months year years hour hours minute minutes period duration start end "
    "name title role list detail details result results happen happens need needed required allowed apply applies "
    "applied approve approves approved pay pays paid keep keeps kept keeping store stored work works use used using "
    "get gets take takes last lasts run runs operate operates operated confirm confirms file filed filing decide "
    "decides wait answer call ask send sent give given go goes make made see know tell show starts begin begins fail "
    "fails written put done goods thing things case cases way ways tool system else right rights".split()
)
"""Words that name a property, a step or a general act, and say nothing of a subject without another word."""
PEOPLE = re.compile(
    r"\b(?:staff|employees?|interns?|contractors?|managers?|newcomers?|joiners?|people|visitors?|part-time\w*)\b", re.I
)
CODE = re.compile(r"^([A-Za-z]+)-?(\d+)$")
NUMBER = re.compile(r"^\d[\d,.]*$")
TIME_AFTER = frozenset("year month week quarter morning afternoon time moment days".split())
CLAUSE_VERBS = re.compile(r"(?:ed|ing)$")
WORD = re.compile(r"[A-Za-z0-9][\w,.\-#&']*[\w]|[A-Za-z0-9]")


def rewrite(question: str, previous: str, answer: str, frame: str) -> str:
    """Return the question as it would be asked first; the very same text where it needs nothing of what was said before.

    Arguments as for `followups_korean.rewrite`.
    """
    plain = question.strip()
    said = _elliptic(plain)
    if said is not None:
        return _completed(said, frame)
    topic = _topic(previous)
    pointing = _pointing(plain)
    if pointing is not None and topic:
        return _replaced(CONNECTIVE.sub("", plain), previous, answer, topic)
    words = _content(plain)
    if topic and words and all(word.lower() in GENERIC for word in words):
        return f"{plain.rstrip('?. ')} for {topic}?"
    return question


def may_depend(question: str) -> bool:
    """Return whether anything suggests that the question is a follow-up; a model is asked only then."""
    plain = question.strip()
    short = len(WORD.findall(plain)) <= 5
    return short or bool(CONNECTIVE.match(plain)) or _elliptic(plain) is not None or _pointing(plain) is not None


def _elliptic(plain: str) -> str | None:
    """Return what an elliptic question names: it has no verb of its own."""
    match = ELLIPSIS.match(plain) or BARE.match(plain)
    if match is None:
        return None
    said = match.group("said").strip()
    words = [word.lower() for word in WORD.findall(said)]
    if len(words) > 7 or not words or words[0] in {"what", "who", "when", "where", "why", "how", "which"}:
        return None
    if any(word in AUXILIARY for word in words) or (PRONOUN.fullmatch(words[0]) and len(words) == 1):
        return None
    return said


def _pointing(plain: str) -> re.Match[str] | None:
    """Return the first pronoun that points back: no expletive `it` or `there`, no relative `that`, no `this year`."""
    text = CONNECTIVE.sub("", plain)
    for match in PRONOUN.finditer(text):
        word, before, after = match.group().lower(), text[: match.start()].split(), text[match.end() :].split()
        last = before[-1].lower().strip(",") if before else ""
        following = re.sub(r"\W", "", after[0].lower()) if after else ""
        if word == "there" and (last in AUXILIARY or following in AUXILIARY):
            continue
        if word == "it" and _expletive(last, text[match.end() :]):
            continue
        if word in {"this", "that", "these", "those"} and following in TIME_AFTER:
            continue
        if word == "that" and last and last not in AUXILIARY and last not in _BEFORE_THAT and following:
            continue
        if word in {"they", "them", "their", "he", "she", "his", "her", "him", "it", "its"} and _named_before(before):
            continue
        return match
    return None


_BEFORE_THAT = frozenset(
    "after before for of about with to from by in on at than without is and do does how much who what".split()
)


def _expletive(last: str, after: str) -> bool:
    """Return whether `it` is the empty subject of `is it possible to`, `does it take to`."""
    if re.match(r"\s+(?:is|was)\s+\w+\s+(?:to|that|if)\s+\w", after):
        return True
    return last in AUXILIARY and bool(re.match(r"\s+(?:\w+\s+){0,2}(?:to|that|if)\s+\w", after))


def _named_before(before: Sequence[str]) -> bool:
    """Return whether the question names a subject before the pronoun, which the pronoun then means."""
    content = [
        word
        for word in before
        if re.sub(r"\W", "", word.lower()) not in GRAMMAR and re.sub(r"\W", "", word.lower()) not in GENERIC
    ]
    return (bool(content) and any(word[:1].isupper() for word in content)) or len(content) >= 2


def _replaced(plain: str, previous: str, answer: str, topic: str) -> str:
    match = _pointing(plain)
    if match is None:
        return plain
    word, rest = match.group().lower(), plain[match.end() :]
    following = WORD.match(rest.strip())
    named = _named_in_answer(previous, answer)
    if word in {"this", "that", "these", "those"} and following and following.group().lower() not in GRAMMAR:
        noun = following.group()
        phrases = [phrase for phrase in _phrases(previous) if _stem(noun) in {_stem(w) for w in phrase.split()}]
        target = phrases[0] if phrases else f"{topic} {noun}"
        return plain[: match.start()] + f"the {target}" + rest[rest.index(noun) + len(noun) :]
    target = named if named and word in {"it", "its", "there", "that", "this"} else topic
    if word in {"its", "their", "theirs", "his", "her"}:
        target = f"{target}'s" if not target.endswith("s") else f"{target}'"
    if word == "there":
        target = f"in {target}"
    return f"{plain[: match.start()]}{target}{rest}"


def _named_in_answer(previous: str, answer: str) -> str:
    """Return the name that the answer gives where the previous question asked for a thing by `which` or `what tool`."""
    if not re.match(r"(?:which|what)\s+(?:tool|system|team|application|app|product|unit|department)\b", previous.strip(), re.I):
        return ""
    first = answer.split("\n")[0]
    names = re.findall(r"\b[A-Z][a-z]+[A-Z][A-Za-z]+\b|\b[A-Z]{2,}-[A-Z]+\b|(?<=[a-z] )[A-Z][a-z]+(?: [A-Z][a-z]+)*", first)
    return next((name for name in names if name not in previous), "")


def _completed(said: str, frame: str) -> str:
    """Put what an elliptic question names where its counterpart stands in the last full question."""
    preposition = re.match(r"(for|in|at|on|with|from|to|by|after|before|up to|over|under|above)\s+", said, re.I)
    bare = said[preposition.end() :] if preposition else said
    bare = re.sub(r"^(?:the|a|an)\s+", "", bare, flags=re.I)
    bare = re.sub(r"\s+(?:too|as well|then|instead)$", "", bare)
    phrases = _phrases(frame)
    one = re.fullmatch(r"(.+?)\s+ones?", bare)
    if one:
        target = phrases[0] if phrases else ""
        bare = f"{one.group(1)} {target.split()[-1]}" if target else bare
        return _swapped(frame, target, bare) if target else f"{frame.rstrip('?. ')} {bare}?"
    old = _counterpart(bare, frame, phrases)
    if old:
        return _swapped(frame, old, bare)
    if PEOPLE.search(bare) and not PEOPLE.search(frame):
        return f"{frame.rstrip('?. ')} for {bare}?"
    nouns = [phrase for phrase in phrases if not all(_generic(word) for word in phrase.split())]
    if nouns and not preposition:
        return _swapped(frame, nouns[0], bare)
    return f"{frame.rstrip('?. ')} {preposition.group(1).lower() if preposition else 'for'} {bare}?"


def _swapped(frame: str, old: str, new: str) -> str:
    """Return the frame with one phrase for another, the article before it fitted to its first letter."""
    article = "an" if new[:1].lower() in "aeiou" else "a"
    found = re.sub(rf"(?<!\w)an?\s+{re.escape(old)}(?!\w)", lambda _: f"{article} {new}", frame, count=1)
    return found if found != frame else re.sub(rf"(?<!\w){re.escape(old)}(?!\w)", lambda _: new, frame, count=1)


def _counterpart(bare: str, frame: str, phrases: Sequence[str]) -> str:
    """Return what of the frame is of the same kind: a code, a number, a phrase that shares a word, a name for a name."""
    new = WORD.findall(bare)
    tokens = WORD.findall(frame)
    for word in new:
        code = CODE.match(word)
        for token in tokens:
            other = CODE.match(token)
            if code and other and code.group(1).lower() == other.group(1).lower():
                return token
            if NUMBER.match(word) and NUMBER.match(token):
                return _with_unit(token, frame) if len(new) > 1 else token
    stems = {_stem(word) for word in new}
    for phrase in phrases:
        if stems & {_stem(word) for word in phrase.split() if not _generic(word)}:
            return phrase
    if all(word[0].isupper() or word[0].isdigit() for word in new):
        names = re.findall(r"(?<!^)(?<![.?!] )\b[A-Z][\w-]*(?: [A-Z0-9][\w-]*)*", frame)
        return names[0] if names else ""
    return ""


def _with_unit(number: str, frame: str) -> str:
    match = re.search(rf"{re.escape(number)}\s+\w+", frame)
    return match.group() if match else number


def _phrases(text: str) -> list[str]:
    """Return runs of neighbouring words that are no words of grammar, without the verbs of passive and progressive forms."""
    runs: list[list[str]] = [[]]
    words = WORD.findall(text)
    for number, word in enumerate(words):
        lower = word.lower()
        verb = (
            CLAUSE_VERBS.search(lower) and number + 1 < len(words) and words[number + 1].lower() in GRAMMAR and runs[-1][:1] != []
        )
        following_be = number > 0 and words[number - 1].lower() in AUXILIARY and lower.endswith(("ed", "ing"))
        ends = number + 1 == len(words) or (words[number + 1].lower() in GRAMMAR and not _letter(words[number + 1]))
        if (
            (lower in GRAMMAR and not _letter(word))
            or (following_be and ends)
            or (verb and ends and lower.endswith(("ed", "ing")))
        ):
            runs.append([])
            continue
        if lower in GENERIC and lower.endswith(("s", "t", "n", "k", "e")) and runs[-1] and ends and lower in _VERBS:
            runs.append([])
            continue
        runs[-1].append(word)
    cleaned = [[word for word in run if word.lower() not in _VERBS] for run in runs]
    return [" ".join(run) for run in cleaned if run]


_VERBS = frozenset(
    "kept reviewed removed paid filed run runs take takes last lasts get gets go goes keep keeps do use used stored "
    "informed carried happen happens works work claim claimed approve approves drive pay need needs".split()
)


def _topic(previous: str) -> str:
    """Return the first noun phrase of the previous question with a word that says something, and a name where there is one."""
    phrases = [phrase for phrase in _phrases(previous) if not all(_generic(word) for word in phrase.split())]
    return phrases[0] if phrases else ""


def _content(text: str) -> list[str]:
    return [word for word in WORD.findall(text) if word.lower() not in GRAMMAR]


def _letter(word: str) -> bool:
    """Return whether a word is a name of one letter, as in `Zone A`."""
    return len(word) == 1 and word.isupper() and word != "I"


def _generic(word: str) -> bool:
    return word.lower() in GENERIC or word.lower() in _VERBS


def _stem(word: str) -> str:
    from llmflow.retrieval.tokens import latin_token

    return latin_token(word)
