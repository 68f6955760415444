"""Signs that a text speaks to a model instead of to its readers: patterns over folded text, each with a weight and a reason.

Notation: a blank is any run of signs between words, `~5` up to about five words inside one sentence. Weights add up over kinds;
0.7 is enough (untrusted_inspect.py). The groups follow what attacks do (Greshake et al. 2023; OWASP LLM01), not single known strings.
"""

# ruff: noqa: E501 - a pattern is read in one line

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llmflow.answering.needed_words import needed_words


@dataclass(frozen=True, slots=True)
class Sign:
    kind: str
    weight: float
    pattern: re.Pattern[str]
    needed: tuple[frozenset[str], ...]
    """One word of each set stands in every text that the pattern matches: looking for words is far cheaper."""
    squeezed: re.Pattern[str] | None = None
    """The same for text whose blanks are gone; None where it would match too much."""


REASONS = {
    "override": "tells the model to drop its instructions",
    "prompt": "asks for the model's own instructions",
    "role": "gives the model another role",
    "addressed": "speaks to a model",
    "control": "dictates what is answered, or how",
    "refusal": "makes the model refuse or deny",
    "conceal": "wants to be kept from the reader",
    "exfiltration": "sends what was said or found elsewhere",
    "image": "loads an address that carries data",
    "tool": "calls a tool",
    "marker": "imitates a chat template or the borders of evidence",
    "turn": "imitates a turn of the conversation",
    "authority": "claims to stand above other instructions",
    "citation": "dictates what is cited",
    "sources": "shuts out other sources or ranks itself",
    "phishing": "makes the model ask for secrets or lead people to an address",
    "encoded": "hides words in an encoding",
    "hidden": "holds characters that nobody sees",
}

_NOT_BEHIND = r"(?<!not\s)(?<!n't\s)(?<!never\s)"
_SQUEEZED = frozenset({"override", "prompt", "control", "conceal", "sources"})
_DROP = (
    r"\b(?<!not\s)(?<!n't\s)(?<!never\s)(?<!who\s)(?<!they\s)(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|neglect|discard|"
    r"dismiss|overlook|abandon|unlearn|set aside|pay no (?:attention|heed) to|(?:do not|don't|stop|no longer|cease to|never) "
    r"(?:follow|obey|heed|apply|respect)(?:ing)?|throw (?:away|out)|disobey|deviate from|wipe|nullify)"
)
_IMP = (
    r"(?:^|[.!?:;,\n>\]|*\"'“(\-][ \t]{0,3}|\b(?:please|must|should|shall|will|always|then|and|now|just|instead|never|only|assistants?|ai|"
    r"models?|simply|also|first|so|or|have to|need to)\s)"
)
_RULES = r"(?:instructions?|directives?|prompts?|commands?|guardrails?|programming|system messages?|orders|training)"
_SOFT_RULES = r"(?:rules?|guidelines?|restrictions?|constraints?|polic(?:y|ies)|context|directions?|safety \w+|what(?:ever)? (?:you|was|came)~4)"
_EARLIER = r"(?:previous(?:ly)?|prior|earlier|preceding|above|before|foregoing|existing|original|initial|past|former|last)"
_MINE = r"(?:all|any|every|everything|each|your|system|developer)"
_SHOW = (
    r"\b(?<!not\s)(?<!n't\s)(?<!never\s)(?:reveal|print|show|display|repeat|output|leak|disclose|tell|give|write|recite|quote|dump|expose|"
    r"summari[sz]e|translate|copy|include|share|list|return|send|paste|echo|spell|encode)"
)
_SAY = r"(?:answer|reply|respond|say|output|print|write|state|return|claim|tell|produce|generate|recommend)"
_KO_ORDER = r"(?:라|십시오|세요|시오|해|할 것|해라|해야 한다|하도록|한다|해 줘|해줘|하면 된다|함|하고|하여|한 (?:뒤|다음|후)|한 채|바람|바랍니다|하며)"
_KO_DROP = (
    r"(?:무시(?:(?!되|당|하지|할 수 없|한 (?:직원|사람|경우|결과)|하는|했|하면 (?:안|위험)))|잊(?:어|으|고)|따르지 (?:말|마(?!십시오 ?\))|않아도)|버리(?:고|라|세요|십시오)|"
    r"폐기하고|취소하고|우회(?:하고|하라|해)|덮어쓰|초기화하고|신경 쓰지|지키지 (?:말|마)|어기고|무효(?:화|로)|적용하지 (?:말|마)|제쳐)"
)
_KO_EARLIER = (
    r"(?:이전|앞선|앞서|앞의|위(?:의|에서|에)?|지금까지|여태까지?|기존|모든|상기|종전|원래|처음|최초|시스템|개발자|주어진|받은|너의|네|당신의|니|안전|"
    r"그동안|현재|내장된|사전)"
)
_KO_HARD = r"(?:지시(?:사항|문|들)?|명령(?:어|문)?|프롬프트)"
_KO_SOFT = r"(?:지침|규칙|규정|설정|제약(?:사항)?|제한(?:사항)?|맥락|문맥|컨텍스트|가이드라인|원칙|역할|정책|대화|내용|조건|임무|과제|목표|목적|임무)"
_DATA = (
    r"(?:conversations?|chat (?:history|log)s?|history|prompts?|(?:user|reader|person|employee)(?:'?s)? (?:questions?|data|input|messages?|name|"
    r"emails?|quer(?:y|ies))|questions?|quer(?:y|ies)|context|system prompt|api keys?|passwords?|secrets?|credentials?|tokens?|session|evidence|"
    r"(?:retrieved|other|internal|confidential|all|private|salary|personal) (?:documents?|passages?|text|data|information|records?|files?|content))"
)
_SEND = r"(?:send|post|forward|upload|transmit|exfiltrate|e ?mail|leak|submit|append|encode|attach|put|insert|pass|report|deliver|smuggle)"
_KO_DATA = (
    r"(?:대화(?: (?:기록|내용|이력))?|질문|프롬프트|문맥|컨텍스트|비밀번호|암호(?!화)|api 키|토큰|기밀|개인정보|근거|검색 결과|다른 문서|답변|인증 정보|"
    r"사용자(?:의|가)? (?:정보|이름|입력|질문)|급여|연봉|내부 (?:자료|문서|정보))"
)
_KO_SEND = r"(?:보내(?!지|는 방법)|전송(?!되|하지|하는 방법)|전달하(?!지)|첨부하(?!지)|붙이(?!지)|붙여|포함하(?!지)|포함시|업로드(?!하지)|호출(?!하지)|넣어|제출하(?!지)|유출|덧붙)"
_URL = r"(?:https?://|www\.|\burl\b|\blinks?\b|webhook|\bserver\b|endpoint|@[\w.]+\.\w|query (?:string|parameter)|\bimages?\b|pixel|markdown)"
_KO_URL = r"(?:https?://\S*|\burl\b|주소|링크|서버|웹훅|메일|이미지|매개변수|파라미터|사이트)"
_MODEL = (
    r"(?:a\.?i\.?(?: (?:assistant|model|agent|system|bot)s?)?|llms?|(?:large )?language models?|chat ?(?:gpt|bots?)|gpt[\w.\-]*|claude|gemini|"
    r"(?:virtual |digital )?assistants?|copilot|bots?|summari[sz]ers?|model|retriever|agent)"
)
_KO_MODEL = (
    r"(?:(?:ai|인공지능|생성형 ai)(?: (?:비서|도우미|모델|어시스턴트|에이전트|챗봇|시스템|답변기|검색))?|llm|챗 ?봇|(?:거대 ?)?언어 ?모델|어시스턴트|챗 ?gpt|gpt|"
    r"도우미(?= ai)|답변 ?(?:생성기|모델|엔진))"
)

_TABLE: tuple[tuple[str, float, str], ...] = (
    (
        "control",
        0.7,
        r"(?:^|[.!?\n])(?:(?!고객|민원|손님|상담|문의|환자)[^.!?\n]){0,80}?(?:다|라)고 ?(?:답(?:변)?|대답|응답)(?:하십시오|하세요|할 것|하시오)",
    ),
    ("image", 0.7, r"이미지(?:를|을)? ?(?:\S+ ){0,2}?(?:넣어라|삽입하라|출력하라|표시하라|넣으십시오|붙여라)"),
    # drop what you were told
    ("override", 1.0, rf"{_DROP}~3 {_MINE}~4 (?:{_RULES}|{_SOFT_RULES})\b"),
    ("override", 0.6, rf"{_DROP}~3 {_EARLIER}~3 (?:{_SOFT_RULES}|text|messages?|documents?|content)\b"),
    ("override", 1.0, rf"{_DROP} (?:the )?(?:{_EARLIER}|(?:that|this)~2 (?:above|before)) {_RULES}\b"),
    (
        "override",
        1.0,
        rf"{_DROP}~3 (?:{_RULES}|{_SOFT_RULES})~1 (?:that )?(?:you (?:were|have|had|got|received|are)|given to you|above)\b",
    ),
    ("override", 0.8, rf"{_DROP}~4 {_EARLIER}~3 {_RULES}\b"),
    ("override", 0.8, rf"{_DROP}~3 {_RULES}~4 (?:{_EARLIER}|given|received|so far|until now|you have|you were)\b"),
    (
        "override",
        1.0,
        rf"{_DROP} (?:everything|anything|all)(?: that)?(?: (?:was|is|you))?~3 (?:above|before|previously|earlier|prior|told|said|know|learned)\b",
    ),
    (
        "override",
        0.7,
        r"\b(?:your|the|all|these) (?:\w+ )?(?:instructions?|rules?|prompts?|guidelines?|restrictions?)~2 (?:no longer|do not|don't) (?:apply|hold|matter|bind)",
    ),
    (
        "override",
        0.7,
        r"\b(?:your|the) (?:new|real|actual|true|only) (?:instructions?|task|job|objective|goal|mission|directives?|purpose) (?:is|are)\b",
    ),
    ("override", 1.0, rf"{_KO_EARLIER}[^.!?\n]{{0,18}}?{_KO_HARD}[^.!?\n]{{0,30}}?{_KO_DROP}"),
    ("override", 0.8, rf"{_KO_EARLIER}[^.!?\n]{{0,14}}?(?:{_KO_HARD}|{_KO_SOFT})(?:과|와|의|을|를)? ?(?:대신|달리|반대로)"),
    (
        "override",
        0.7,
        r"(?:안전|보안|윤리|필터|검열)(?: 설정| 장치| 규칙| 필터| 제한| 기능)?(?:을|를)? ?(?:모두 )?(?:해제|끄고|꺼|무시|비활성)",
    ),
    ("override", 0.9, rf"{_DROP}~2 what~4 (?:told|said|instructed|wrote|asked|set)\b"),
    ("override", 0.8, rf"{_DROP} (?:the |this |all |any )(?:retrieved )?(?:evidence|passages?|retrieved|questions?)\b"),
    (
        "override",
        0.7,
        r"\b(?:everything|anything|all|the (?:text|rules|lines|instructions))(?: written| said)? (?:above|before)~4 (?:outdated|void|invalid|wrong|obsolete|ignored|no longer|fake|untrue)\b",
    ),
    (
        "override",
        0.7,
        r"\byour (?:\w+ )?(?:guidelines|rules|instructions|restrictions|policies|purpose|task|programming) (?:(?:have|has|are|were|is|was|been|now) )*(?:changed|updated|replaced|lifted|removed|suspended|void|disabled|cancelled)\b",
    ),
    (
        "override",
        0.7,
        r"내가 (?:시키는|말하는|명령하는|지시하는) (?:대로|것만)|내 (?:말|명령|지시)(?:을|만|에)? ?(?:따르|들어|복종)",
    ),
    ("override", 0.7, rf"{_KO_EARLIER}[^.!?\n]{{0,14}}?{_KO_SOFT}[^.!?\n]{{0,10}}?{_KO_DROP}"),
    ("override", 0.6, rf"{_KO_HARD}(?:을|를|은|는|도)? (?:모두 |전부 |다 )?{_KO_DROP}"),
    (
        "override",
        1.0,
        r"(?:忽略|无视|忘记)[^。]{0,10}(?:指令|指示|提示|规则)|(?:以前|上記|これまで|前)の[^。]{0,8}(?:指示|命令|プロンプト)[^。]{0,6}(?:無視|忘れ)|"
        r"ignor(?:a|e|ez|ieren? sie|iere) (?:todas |toutes |alle )?(?:las |les |die |le )?(?:instruc\w+|instruk\w+|anweisungen|consignes|istruzioni)",
    ),
    # what are you told
    (
        "prompt",
        1.0,
        rf"{_SHOW}~6 (?:(?:the |your |this |its |full |entire |complete )*(?:system|initial|hidden|developer|original|secret|base|pre|internal) ?(?:prompt|message)s?)\b",
    ),
    (
        "prompt",
        1.0,
        rf"{_SHOW}~5 (?:your|hidden|secret|developer) (?:\w+ ){{0,2}}(?:instructions?|prompts?|guidelines?|configuration|directives?|rules)\b",
    ),
    (
        "prompt",
        0.8,
        rf"{_SHOW}~6 (?:messages?|text|words|instructions?|everything|content)~2 (?:that |which )?(?:precedes?|preceding|came before|stands? above|(?:comes |is |are )?(?:before|above) (?:this|here))\b",
    ),
    (
        "prompt",
        0.8,
        r"\b(?:translate|repeat|summari[sz]e|encode|output|reveal|recite|paraphrase)~2 (?:above|preceding|previous|earlier|initial) (?:instructions?|prompt|rules|messages?|directives?)\b",
    ),
    (
        "prompt",
        0.5,
        rf"{_SHOW}~4 (?:api keys?|passwords?|credentials|secrets?|confidential \w+|internal (?:notes|documents|data)|hidden (?:rules|notes)|documents? (?:list|you have)|list of (?:\w+ )?documents)\b",
    ),
    (
        "prompt",
        0.8,
        r"(?:너의|네|당신의|니) (?:\S{1,6} ){0,2}?(?:지침|규칙|설정|원칙)[^.!?\n]{0,24}?(?:출력|공개(?!하지)|보여|알려|말해|그대로|반복|누설|나열)",
    ),
    (
        "prompt",
        0.8,
        r"프롬프트(?: 원문| 전문| 내용| 전체)?(?:을|를)? ?(?:\S+ ){0,3}?(?:출력하|출력해|공개하라|공개해|보여 ?(?:줘|주고|주세요|주십시오|달)|알려 ?(?:줘|주고|주세요|달)|말해|적어 ?(?:줘|라)|복사해|그대로)",
    ),
    (
        "prompt",
        0.5,
        r"(?:문서|파일|대화|자료|급여|비밀번호)(?:의)? ?(?:목록|내용|전체|정보)?(?:을|를)? ?(?:전부|모두|빠짐없이|전체) ?(?:출력|나열|공개|보여)",
    ),
    (
        "prompt",
        0.8,
        rf"{_SHOW}~5 (?:everything|all (?:the )?(?:text|words|lines)|the (?:text|words|lines)|what (?:is|was|came|stands)) (?:written |that came )?(?:above|before)\b",
    ),
    (
        "prompt",
        1.0,
        r"\bwhat(?:'s| (?:is|are|were|was|does))~2 your (?:\w+ ){0,2}(?:prompt|instructions|directives|guidelines)\b",
    ),
    (
        "prompt",
        1.0,
        r"(?:시스템|초기|숨겨진|숨은|개발자|비공개|너의|네|당신의|받은) (?:\S{1,6} ){0,2}?(?:프롬프트|지시(?:문|사항)?|명령문)[^.!?\n]{0,24}?"
        r"(?:출력|공개(?!하지)|보여|알려|말해|적어|써 ?줘|옮겨|반복|노출|누설|공유|나열|요약|번역|인쇄|뱉|전문|그대로)",
    ),
    (
        "prompt",
        0.6,
        r"(?:내부|숨겨진|너의|당신의|네) (?:\S{1,6} ){0,1}?(?:지침|규칙|설정)[^.!?\n]{0,20}?(?:출력|공개(?!하지)|보여|알려 ?(?:줘|달)|말해|그대로 (?:적|써|옮)|반복|누설|나열)",
    ),
    (
        "prompt",
        0.8,
        r"(?:위|앞)(?:의|에)? ?(?:적힌|쓰인|있는|나온)? ?(?:모든 )?(?:내용|텍스트|문장|글)(?:을|를)? ?(?:전부 |모두 |그대로 |빠짐없이 ){1,2}(?:출력|반복|적|써|옮|복사)",
    ),
    # be somebody else
    ("role", 0.6, r"\byou(?:'re| are) (?:now|no longer|henceforth|from now on)\b"),
    (
        "role",
        0.7,
        r"\b(?:from (?:now|this point|here) on(?:wards?)?|henceforth|starting now),? (?:you|your|act|behave|answer|respond|reply|only|always)\b",
    ),
    (
        "role",
        0.9,
        r"\b(?:act|behave|respond|answer|pose|speak) as (?:an?|the|if you (?:were|are)) (?:~2 )?(?:unrestricted|uncensored|unfiltered|evil|jailbroken|root|dan|system|"
        r"administrator|developer|hacker|attacker|different|opposite)\b",
    ),
    ("role", 0.4, r"\b(?:act|behave|respond|pose) (?:as|like) (?:an?|the|if you|my)\b"),
    ("role", 0.7, r"\bpretend (?:you(?:'re| are| have))\b|\brole ?play as\b|\bassume the (?:persona|identity) of\b"),
    ("role", 0.4, r"\bpretend to be\b|\brole ?play(?:ing)?\b|\bassume the role of\b|\bimpersonate\b"),
    ("role", 0.7, rf"{_IMP}(?:pretend to be|impersonate|role ?play as|assume the role of) (?:an?|the|my|our)\b"),
    (
        "role",
        1.0,
        r"\bdo anything now\b|\b(?:dan|god|jailbreak|unrestricted|uncensored|developer|opposite) mode (?:is )?(?:now )?(?:enabled|on|activated|engaged)\b|"
        r"\b(?:enter|enable|activate|switch to|engage)~3 (?:dan|god|jailbreak|unrestricted|uncensored|developer|debug|opposite|sudo|maintenance) mode\b",
    ),
    (
        "role",
        0.7,
        r"\bstop being (?:an?|the|our)\b|\byour (?:new )?name is (?:now )?\w+ (?:and|who|,)|\byour new (?:role|identity|persona|name)\b",
    ),
    (
        "role",
        0.6,
        r"\b(?:without|free (?:of|from)|not bound by|no) (?:any |all |your )?(?:restrictions?|limitations?|filters?|ethical \w+|safety \w+|guardrails?|content polic(?:y|ies))\b",
    ),
    (
        "role",
        0.5,
        r"\bstay(?:ing)? in (?:character|role)\b|\bnever break character\b|(?:역할|설정)(?:을|에서) ?(?:벗어나지|유지)",
    ),
    (
        "role",
        1.0,
        r"(?:너|넌)(?:는|은)? ?,? ?(?:이제|지금|앞으로|오늘)(?:부터)?(?:는)?(?![가-힣])|(?:이제|지금|앞으로)(?:부터)?는? ?,? ?(?:너|넌)(?:는|은)?(?![가-힣])",
    ),
    (
        "role",
        0.5,
        r"(?:너|넌|당신|자네|네)(?:은|는|가)? ?,? ?(?:이제|지금|앞으로|오늘)(?:부터|부터는|는)?(?![가-힣])|(?:이제|지금|앞으로|이 시점)(?:부터)?는? ?,? ?(?:너|넌|당신|네|자네)(?:은|는|가)?(?![가-힣])",
    ),
    (
        "role",
        0.8,
        r"(?:제한|제약|검열|필터|규칙)(?:이|도|을|은)? ?(?:전혀 )?(?:없는|받지 않는|풀린|해제된) ?(?:\S+ )?(?:ai|인공지능|어시스턴트|챗봇|모델|비서|모드|상태)",
    ),
    (
        "role",
        0.8,
        r"(?:개발자|디버그|탈옥|무제한|갓|dan|루트|해커) ?모드(?:로|를|가)? ?(?:전환|진입|활성|켜|들어|바꿔|실행|동작|작동)",
    ),
    (
        "role",
        0.6,
        r"(?:인|한|하는) 척 ?(?:해|하고|하며|하라|하세요|행동)|역할극|(?:역할|인격|페르소나)(?:을|를|로)? ?(?:연기|수행하라|바꿔|전환|맡아)|(?:처럼|같이|로서) (?:행동|연기|대답|답변)(?:하라|해라|해|하세요|하십시오|할 것)",
    ),
    # a model is spoken to
    (
        "addressed",
        0.6,
        rf"\b(?:dear|attention|attn|hey|hello|hi|notice|notes?|instructions?|messages?|reminder|commands?|directives?|guidance)~1 (?:to|for)? ?(?:the |any |all |every |an? )?{_MODEL}\b(?! (?:training|number|year|team|policy|office))",
    ),
    (
        "addressed",
        0.7,
        r"(?:^|[\n.!?\[(<>*#|] ?)for (?:the |any |all )?(?:ai|llms?|(?:ai |language |large language )models?|chat ?bots?|(?:ai |virtual )?assistants?|summari[sz]ers?)\b[^.!?\n]{0,30}?[:,]",
    ),
    (
        "addressed",
        0.4,
        r"\b(?:the |this |any )?(?:ai|llm|(?:ai |language )models?|chat ?bot|(?:ai )?assistant) (?:needs|requires|must|should|has|is instructed|will now)\b",
    ),
    ("addressed", 0.7, r"(?:모델|요약기|검색기|답변기|ai|인공지능|챗봇|봇|비서)(?:들)?(?:에게|께) ?[:：,]"),
    (
        "addressed",
        0.8,
        rf"{_KO_MODEL}(?:은|는|이|가)[^.!?\n]{{0,30}}?(?:사용자|질문자|직원|독자)(?:에게|한테)[^.!?\n]{{0,40}}?(?:고|라고) ?(?:전달|답(?:변)?|대답|말|안내|설명)(?:해야|하라|해라|하십시오|할 것|하세요|하시오)",
    ),
    (
        "addressed",
        0.8,
        r"(?:시스템|개발자|관리자)(?:의)? ?(?:지시|명령|프롬프트|메시지)(?:로|와 같이|처럼) ?(?:간주|취급|여기|처리)",
    ),
    (
        "addressed",
        0.6,
        r"\bwhen(?:ever)? (?:you (?:are )?)?(?:summari[sz]ing|summari[sz]e|quoting|quote|answering|describing|processing|citing|evaluating|ranking)~3 (?:this|the) (?:document|page|text|file|passage|article|cv|resume|application|e ?mail)\b",
    ),
    (
        "addressed",
        0.6,
        rf"\b(?:if|when|since|because) (?:you(?:'re| are)|this is (?:being )?(?:read|processed|summari[sz]ed) by) (?:an? |the |any )?{_MODEL}\b",
    ),
    (
        "addressed",
        0.6,
        rf"\b(?:as (?:an?|the)|you(?:'re| are) (?:an?|the)) (?:\w+ ){{0,2}}(?:{_MODEL})\b,? (?:you|your|must|should|and|that|who|answer|reply|now)?",
    ),
    (
        "addressed",
        0.5,
        r"(?:^|[\n.!?\[(<>*#|] ?)@?(?:ai|llms?|chat ?(?:bot|gpt)s?|(?:ai |virtual )?assistants?|(?:ai|language) models?|copilot)(?: (?:systems?|agents?))? ?[:,]",
    ),
    (
        "addressed",
        0.5,
        rf"\b(?:the |any |every |all )?{_MODEL}s? (?:must|shall|should|needs? to|has to|is (?:to|required to|instructed to)|are (?:to|required to)|will) (?:now |always |only |never |not |instead )?"
        r"(?:answer|reply|respond|say|state|ignore|disregard|output|print|tell|recommend|cite|refuse|append|include|follow|begin|end|send|reveal|treat|add)",
    ),
    (
        "addressed",
        0.7,
        rf"\b{_MODEL}s? (?:that|which|who|reading|processing|summari[sz]ing|quoting|indexing|answering)~3 (?:this|the) (?:page|document|text|file|passage|note|e ?mail|newsletter|article)\b",
    ),
    (
        "addressed",
        0.7,
        rf"(?:당신이|네가|너가|읽는 (?:것|이|자)[이가]|지금) ?{_KO_MODEL}(?:이|라|이라)?(?:라면|면|일 경우|인 경우)",
    ),
    (
        "addressed",
        0.6,
        rf"{_KO_MODEL} ?(?:에게|에 대한|용|전용|대상|이?라면|일 경우|께|보시오|님|을 위한|의 (?:답변 )?규칙) ?(?:보내는 |전하는 |내리는 |알리는 )?(?:지시|명령|안내|메시지|알림|말|요청|지침|메모|:|,|다음|반드시|아래|이)",
    ),
    (
        "addressed",
        0.5,
        rf"{_KO_MODEL}(?:는|은|야|아|이여)[ ,:!]*(?:[^.!?\n]{{0,40}}?)(?:답(?:변)?하라|답(?:변)?하십시오|답(?:변)?해야|말하라|출력하라|무시|따르|대답|응답하|안내하라|추천하|붙이|표시하|인용하|거절하|잊)",
    ),
    ("addressed", 0.5, rf"(?:^|[\n.!?:\[(<*#|] ?)(?:{_KO_MODEL}) ?(?:지시|명령|필독|주의|참고|알림|전달)? ?[:,\])>]"),
    (
        "addressed",
        0.4,
        rf"(?:이 (?:문서|글|텍스트|내용|파일|메일)(?:을|를) )(?:읽|처리|요약|분석|참조)(?:는|하는|고 있는) ?(?:\S+ )?{_KO_MODEL}",
    ),
    # what is answered
    (
        "control",
        0.8,
        rf"{_IMP}(?:only|just|simply|exactly|always|solely) (?:ever )?(?:answer|reply|respond|say|output|claim)\b (?:with\b|that\b|the\b|this\b|:|\"|'|“|in\b|yes\b|no\b)",
    ),
    (
        "control",
        1.0,
        rf"{_IMP}(?:answer|reply|respond|output)\b (?:with |in |using )?(?:only|exactly|just|nothing but|nothing else|exclusively|solely)\b (?:with|the|:|\"|'|“|in|one|yes|no|by)",
    ),
    (
        "control",
        0.7,
        rf"{_IMP}(?:answer|reply|respond|say|output|print|write)\b~3 (?:only|exactly|just|nothing but|nothing else|exclusively|verbatim|literally|solely)\b(?! (?:if|when|by|after|from|to|once|upon|for)\b)",
    ),
    (
        "control",
        0.4,
        r"\b(?:must|shall|should|has to|have to) (?:always |also )?(?:add|include|mention|link|recommend|promote|insert|append)\b",
    ),
    ("control", 0.6, rf"{_IMP}(?:answer|reply|respond|say) (?:that\b|with\b|:|no\b|yes\b|there|it\b|nothing|never)"),
    (
        "control",
        0.4,
        rf"{_IMP}(?:include|add|insert|use|mention|contain)\b (?:only )?the (?:exact |following )?(?:phrase|words?|sentence|string|code)\b",
    ),
    (
        "control",
        0.8,
        r"\byour (?:final |next |whole )?(?:answer|output|reply|response)s?~2 (?:contains?|consists?(?: of)?|be|is|includes?)~1 (?:only|nothing|just|exclusively)\b",
    ),
    ("control", 0.5, r"\banswers? (?:to )?every (?:\w+ )?(?:question|quer)"),
    (
        "control",
        0.4,
        r"\bfollow the (?:lines|instructions|text|rules|words) (?:below|after|that follow)\b|\b(?:lines|instructions|text) (?:below|that follow) instead\b",
    ),
    (
        "control",
        0.5,
        rf"\b(?:must|shall|should|will|have to|need to|are to|always|instead,?|please|then|and|now) (?:always |only |instead |now |simply |just )?{_SAY}\b (?:with\b|that|as follows|:|\"|'|“|the (?:following|words?|phrase|sentence|user)|to (?:the|any|every) user|every|all|any|in)",
    ),
    (
        "control",
        0.6,
        r"\b(?:regardless of|no matter|irrespective of|whatever|independent of) (?:what|which|how|the|is|they|users?)~4 (?:questions?|asks?|asked|quer(?:y|ies)|inputs?|requests?|says?|topic)\b",
    ),
    (
        "control",
        0.6,
        rf"\b(?:when(?:ever)?|if|every time|anytime|each time) (?:\w+ ){{0,3}}(?:asks?|asked|asking|quer(?:y|ies)|queried|questions?|questioned|inquires?)\b(?! for\b)~9 (?:you )?(?:must |should |will |always |just |only )*{_SAY}\b",
    ),
    (
        "control",
        1.0,
        rf"{_IMP}(?:begin|start|end|prefix|append|finish|close|preface|conclude|open|sign|add|insert|include|put|place)\b~6 (?:to|in|at|of|into|after)? ?(?:the (?:end|start|beginning|top|bottom) of )?"
        rf"(?:every|each|all|your|any)(?: \w+){{0,3}} (?:answers?|repl(?:y|ies)|responses?|outputs?|summar(?:y|ies))\b",
    ),
    (
        "control",
        0.6,
        r"\b(?:your|the (?:final|next)|any|every|each) (?:\w+ )?(?:answer|reply|response|output|summary) (?:must|should|shall|has to|needs to|always) (?:be (?!received|submitted|sent)|contain|include|say|begin|start|end|mention|consist|read)",
    ),
    (
        "control",
        0.7,
        rf"{_IMP}{_SAY}\b~4 in (?:the form of |the style of |valid |pure |raw )?(?:json|xml|yaml|base64|pirate|rhymes?|rot13|hex|binary|morse|leetspeak|emojis?|all caps|uppercase|capital letters|verse|haiku|a poem|klingon|latin|french|german|spanish|chinese|japanese)\b",
    ),
    (
        "control",
        0.7,
        r"\b(?:when(?:ever)?|if) (?:someone|anyone|anybody|a user|the user|users|people|they|you are) (?:asks?|asked|inquires?)\b(?! for\b)~9 (?:say|answer|reply|respond|state|claim)\b",
    ),
    (
        "control",
        0.6,
        r"\b(?:instead of|rather than) (?:answering|replying|responding|summari[sz]ing|quoting)|\binstead,? (?:of that |you |please )*(?:answer|say|respond|reply|write|output|do|tell|print|recommend)\b",
    ),
    (
        "control",
        0.5,
        r"\b(?:the|this|my|correct|right|true|only|official) (?:correct |right |only |official |true )*(?:answer|response|reply) (?:to (?:every|any|all|this|the user'?s?) questions? )?(?:is always|is only|must be|shall be|will be)\b",
    ),
    (
        "control",
        0.6,
        r"(?:무엇을|무슨|뭘|어떤|어떠한|모든|누가|질문(?:의 내용)?(?:과|에|이|은)?) ?(?:질문|것|말)?(?:을|이|에|도)?[^.!?\n]{0,16}?(?:물어도|묻더라도|물으면|물어보면|받아도|들어와도|(?:관계|상관)없이|무관하게|오든|하든|에도|묻든)",
    ),
    (
        "control",
        1.0,
        r"(?:라고만|라는 (?:말|문장|답|답변|단어|문구)(?:만|으로만|로만)|(?:문장|단어|글자|말|문구|숫자)(?:으로)?만)[^.!?\n]{0,12}?(?:답(?:변)?(?:하|해|할)|대답|응답|출력|말하|말해|회신|반환)",
    ),
    (
        "control",
        0.6,
        r"(?:다|요|오|음|\"|'|”|’|」|』|\]|[가-힣]) ?(?:라고|고) ?(?:항상 |반드시 |무조건 )?(?:답(?:변)?|대답|응답|출력|회신)(?:하라|해라|하십시오|하세요|해야|할 것|하시오|해 ?줘|하도록|해\b|하면)",
    ),
    (
        "control",
        0.5,
        r"(?:항상|무조건|반드시|오직|오로지|절대로?)[^.!?\n]{0,30}?(?:답(?:변)?|대답|응답|출력)(?:하라|해라|하십시오|하세요|해야|할 것|하시오|해 ?줘|하도록|만 하)",
    ),
    (
        "control",
        0.5,
        r"(?:모든|매|각|너의|네|당신의) (?:답변|대답|응답|출력)(?:은|을|의|에|마다)|(?:답변|대답|응답)(?:하라|해라|할 것|하시오)",
    ),
    (
        "control",
        1.0,
        r"(?:라|이라|다|고|며)고 ?(?:항상 |반드시 |무조건 )?(?:답(?:변)?|대답|응답)(?:하라|해라|해(?= ?(?:[.!\n]|$))|하거라|하렴)",
    ),
    (
        "control",
        1.0,
        r"(?:모든 |매번 |각 |항상 )?(?:답변?|대답|응답|출력)(?:의|은|을|에|마다|할 때)?(?: ?마다)? ?(?:맨 )?(?:끝|앞|처음|마지막|첫|시작|하단|상단|말미|뒤)[^.!?\n]{0,40}?(?:붙(?:이|여)|추가|넣|포함|덧붙|삽입|적어|적으|써|시작하|끝내|달아)",
    ),
    (
        "control",
        0.8,
        r"(?:json|xml|yaml|base64|영어|일본어|중국어|프랑스어|독일어|반말|이모지|시|랩|해적|대문자|16진수|모스 ?부호|거꾸로)(?:으로|로|만|말투로| 형식으로)+ ?(?:만 )?(?:답(?:변)?(?:하|해)|대답|응답|출력|말하|말해|써)",
    ),
    (
        "control",
        0.6,
        r"(?:사용자|누군가|직원|질문자|독자|고객|누가)(?:가|이|로부터)?[^.!?\n]{0,30}?(?:물으면|물어보면|묻는 경우|질문하면|문의하면|묻거든|물을 때|질문할 때|질문(?:을)? 받으면)[^.!?\n]{0,60}?(?:답(?:변)?하라|라고 (?:답|대답|말|응답)|(?:답(?:변)?|대답|말|응답)(?:해라|하십시오|하세요|해야|할 것|하도록))",
    ),
    (
        "control",
        0.4,
        r"대신(?:에)? [^.!?\n]{0,30}?(?:답(?:변)?하|출력하|말하라|대답하|써라|추천하)|(?:추천|홍보|칭찬)하는 (?:답변?|문장|말)|(?:답변?|대답)(?:은|을) (?:항상|무조건|반드시|오직)",
    ),
    (
        "refusal",
        1.0,
        rf"{_IMP}(?:refuse|decline) to (?:answer|respond|reply)(?: to)? (?:any|every|all|questions?|the user|users|them|requests?)\b|\b(?:tell|inform) (?:the |any |every |all )?(?:users?|readers?|them|everyone|people)~2 you (?:cannot|can't|do not|don't|are not|aren't|are unable|have no)",
    ),
    (
        "refusal",
        0.8,
        r"\b(?:do not|don't|never) (?:answer|reply to|respond to)~1 (?:the user|their|this user|user)(?:'?s)?\b(?: (?:question|quer))?",
    ),
    (
        "refusal",
        0.7,
        r"\b(?:say|tell|answer|reply|respond|claim|state|pretend)(?:ing)?~5 (?:you|that you|i|we|there)(?:'re|'m| are| am| is)? (?:do not|don't|cannot|can't|could not|couldn't|unable|not able|no longer|not allowed|no)~3 (?:know|find|help|answer|information|available|access|assist|records?|documents?)",
    ),
    (
        "refusal",
        0.9,
        r"(?:모른다|모릅니다|알 수 없(?:다|습니다)|찾(?:지|을 수) (?:못했|없)(?:다|습니다)|(?:정보|자료|문서|규정)가 없(?:다|습니다)|답할 수 없(?:다|습니다)|서비스(?:가)? 중단[^\s]*)[\"'”’]?(?:고|라고|라고만|고만|며) ?(?:만 )?(?:답|대답|응답|말)(?:하라|해라|하십시오|하세요|할 것|해야|하시오|해 ?줘|해(?= ?[.!\n]))|(?:답변|대답|응답)(?:을|하기를)? ?(?:거부|거절)(?:하라|해라|하십시오|하세요|할 것|해야)",
    ),
    (
        "conceal",
        1.0,
        r"\b(?:do not|don't|never|without|avoid|must not|should not) (?:ever )?(?:mention(?:ing)?|reveal(?:ing)?|disclos(?:e|ing)|tell(?:ing)?|inform(?:ing)?|show(?:ing)?|alert(?:ing)?|notify(?:ing)?|acknowledg(?:e|ing)|refer(?:ring)? to)"
        r"~3 (?:(?:this|these|that|the|any|about|of)~1 (?:instructions?|notes?|prompt|directives?|message|injection|command|rule|text|change)|the (?:users?|reader|human|person (?:asking|who asks)))\b",
    ),
    (
        "conceal",
        0.4,
        r"\b(?:secretly|silently|covertly|hidden from the user|without (?:the )?(?:user|reader|human)'?s? (?:knowing|knowledge|noticing))\b",
    ),
    (
        "conceal",
        1.0,
        r"(?:사용자|독자|질문자|상대방)(?:에게|들에게|한테)(?:는|도)? ?[^.!?\n]{0,20}?(?:알리지|말하지|언급하지|밝히지|보여 ?주지|드러내지|들키지) ?(?:말|마)|(?:이|위) ?(?:지시|명령|문구|지침|문장|메시지|메모|글)(?:사항|문)?(?:의 존재|가 있다는 (?:사실|것)|를 받았다는 (?:사실|것))?(?:을|를|은|는|에 대해)? ?(?:절대 |결코 )?(?:언급|공개|노출|말|드러내|밝히)(?:하)?지 ?(?:말|마)",
    ),
    # where it is sent
    ("exfiltration", 1.0, rf"{_IMP}{_SEND}\b~8 {_DATA}\b~8 {_URL}"),
    (
        "exfiltration",
        0.8,
        rf"(?:https?://|www\.|webhook)\S{{0,80}}~3 (?:and |with |including |containing |carrying ){_SEND}?~4 {_DATA}\b",
    ),
    (
        "exfiltration",
        0.9,
        rf"{_IMP}(?:fetch|visit|load|open|call|request|browse(?: to)?|render|display|show|insert|include|embed|generate)\b~5 (?:{_URL})\S{{0,80}}~3 (?:and|with|including|containing|carrying|plus|followed by)~3 {_DATA}\b",
    ),
    ("exfiltration", 0.4, rf"{_IMP}{_SEND}\b~6 {_DATA}\b"),
    ("exfiltration", 1.0, rf"{_KO_DATA}(?:[^.!?\n]|\.(?=\w)){{0,40}}?https?://\S+(?:[^.!?\n]|\.(?=\w)){{0,40}}?{_KO_SEND}"),
    ("exfiltration", 0.7, rf"{_KO_DATA}(?:[^.!?\n]|\.(?=\w)){{0,40}}?{_KO_URL}(?:[^.!?\n]|\.(?=\w)){{0,40}}?{_KO_SEND}"),
    (
        "exfiltration",
        0.6,
        r"[\w.]+@[\w\-]+\.\w[\w.]*(?:으로|로|에|에게)? ?(?:\S+ ){0,3}?(?:보내고|보내라|전송하라|전달하라|보내십시오)",
    ),
    ("exfiltration", 0.7, rf"{_KO_URL}(?:[^.!?\n]|\.(?=\w)){{0,50}}?{_KO_DATA}[^.!?\n]{{0,30}}?{_KO_SEND}"),
    ("image", 1.0, r"!?\[[^\]\n]{0,120}\]\(\s*<?(?:https?:)?//[^)\s]{0,300}(?:\{|%7b|\$|<|\[)"),
    (
        "image",
        0.8,
        r"!\[[^\]\n]{0,120}\]\(\s*<?(?:https?:)?//[^)\s]{0,300}=(?:data|question|query|secret|prompt|대화|질문|답변|내용|context|history|conversation|answer)\b",
    ),
    ("image", 0.5, r"!\[[^\]\n]{0,120}\]\(\s*<?(?:https?:)?//[^)\s]{0,300}\?[^)\s=]{1,40}="),
    ("image", 0.3, r"<(?:img|iframe|script|object|embed|svg|link)\b[^>]{0,300}(?:src|href|data|onload|onerror)\s*="),
    (
        "image",
        0.4,
        r"\b(?:render|display|show|include|insert|output|embed|add)~4 (?:markdown )?(?:image|link|pixel|hyperlink)s?\b|(?:마크다운|이미지|링크)(?:를|을|로)? ?(?:\S+ ){0,3}?(?:출력하|렌더링하|표시하라|삽입하|포함하라|넣어라)",
    ),
    # tools, templates, turns
    (
        "tool",
        1.0,
        r"</?(?:tool_call|tool_response|function_calls?|function_results|antml|invoke|tool_use)\b|<function[ =_]|\[/?tool_(?:calls?|results?)\]|<\|(?:tool|python)[\w]*\|>",
    ),
    (
        "tool",
        1.0,
        r"\{\s*\"(?:name|tool|tool_name|function|action)\"\s*:\s*\"[\w.\-]+\"\s*,\s*\"(?:arguments|parameters|args|input|action_input|tool_input)\"\s*:",
    ),
    (
        "tool",
        0.8,
        rf"{_IMP}(?:call|invoke|execute|trigger|run|use) (?:the |your |any )?[a-z]+_[a-z_]+ (?:tool|function|plugin|api|connector)\b|(?:^|\s)functions\.\w+\(|\b[a-z]+_[a-z_]+\([^)\n]{{0,80}}\)[^.\n]{{0,12}}?(?:호출|실행)(?:하라|해라|하십시오|하세요|할 것|해)",
    ),
    (
        "tool",
        0.4,
        r"\b(?:call|invoke|execute|trigger|use) (?:the|your|any) (?:\w+ )?(?:tool|function|plugin|api|connector)s? (?:to|with|and)\b|(?:도구|함수|플러그인)(?:를|을)? ?(?:즉시 |바로 |반드시 )?(?:호출|실행)(?:하라|해라|하십시오|할 것)",
    ),
    ("tool", 0.6, r"\brm -rf\b|\bdrop table\b|\bcurl (?:-\w+ )?https?://"),
    (
        "marker",
        1.0,
        r"<\|[\w ]{2,30}\|>|<[｜|][^<>\n]{2,40}[｜|]>|\[/?inst\]|<</?sys>>|<(?:start|end)_of_turn>|\[(?:/?system_prompt|/?available_tools|/?sys)\]|<\|?(?:begin|end)of(?:text|prompt|turn)\|?>",
    ),
    (
        "marker",
        1.0,
        r"</?(?:system|assistant|human|system_prompt|evidence|retrieved|근거|지시|시스템|untrusted)(?: [^<>]{0,40})?>",
    ),
    ("marker", 0.4, r"</?(?:instructions?|context|documents?|prompt|user)>"),
    (
        "marker",
        0.8,
        r"\[system\]|(?:-{2,}|={2,}|#{2,}|\*{2,}|\[|<{2,}|`{3}) ?(?:end|begin|start|close|new)(?:ing)? (?:of )?(?:the )?(?:system |user |assistant |new |retrieved )?(?:documents?|context|evidence|user (?:input|message)|prompt|instructions?|data|input|conversation)\b",
    ),
    (
        "marker",
        0.8,
        r"(?:-{2,}|={2,}|#{2,}|\*{2,}|\[|<{2,}) ?(?:근거|문서|자료|컨텍스트|검색 결과|사용자 입력|시스템)(?:의)? ?(?:끝|종료|시작|지시|메시지)|(?:근거|컨텍스트|검색 결과|자료)(?:는|은|가|이)? ?(?:여기(?:까지|서 끝)|끝났)",
    ),
    ("marker", 0.5, r"(?:^|\n)#{2,} ?(?:instructions?|system|response|new task|지시|시스템|명령) ?:?\s*(?:\n|$)"),
    (
        "turn",
        0.8,
        r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:system|developer|admin(?:istrator)?)(?:[ _](?:message|prompt|instructions?|override|notice|note|command|update))[ \t\])*\"']{0,4}[:：]",
    ),
    ("turn", 0.5, r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:assistant|human)[ \t\])*\"']{0,4}[:：](?!//)"),
    ("turn", 0.3, r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:system|developer|user)[ \t\])*\"']{0,4}[:：](?!//)"),
    (
        "turn",
        0.8,
        r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:시스템|개발자|관리자|운영자) ?(?:메시지|지시|프롬프트|명령|지침|재정의|덮어쓰기)[ \t\])*\"']{0,4}[:：\])>]",
    ),
    ("turn", 0.3, r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:시스템|어시스턴트|도우미|챗봇|ai)[ \t\])*\"']{0,4}[:：]"),
    ("turn", 0.8, r"[\"']role[\"']\s*:\s*[\"'](?:system|assistant|developer|tool|user)[\"']"),
    ("authority", 1.0, r"\b(?:system |safety )?prompt override\b|\boverride ?:|\b(?:safety|security|content) override\b"),
    (
        "authority",
        0.9,
        r"\b(?:system|admin(?:istrator)?|security|developer|root|master|emergency) override\b|\boverride (?:code|protocol|sequence|authori[sz]ation)\b|\bsudo (?:mode|ignore|reveal|print|show|answer)",
    ),
    ("authority", 0.7, r"\bi (?:hereby |now )?(?:authori[sz]e|instruct|command|order|permit|allow) you to\b"),
    (
        "authority",
        0.8,
        r"\b(?:new|updated|revised|additional|important|urgent|critical|final|real|actual|true|special|secret|hidden) (?:system |admin |developer |priority |and |binding )*(?:instructions?|directives?|prompts?|commands?|orders)\b ?(?:for (?:you|the (?:model|assistant|ai))|:|follow)",
    ),
    (
        "authority",
        0.7,
        r"\b(?:takes?|has|have|with|given|of) (?:the )?(?:highest|absolute|top|maximum|higher|full) (?:priority|precedence|authority)|\b(?:supersedes?|overrides?|replaces?|outranks?) (?:all |any |every |your |the )*(?:previous |prior |other |earlier |existing |original |system )*(?:instructions?|prompts?|directives?|guidelines|commands)",
    ),
    (
        "authority",
        0.6,
        r"\b(?:i am|this is|i'm|we are) (?:the |your |an? )?(?:\w+ )?(?:developers?|administrator|creator|operator|system (?:administrator|owner)|openai|anthropic|security team)\b|\b(?:authori[sz]ed|approved|signed) by (?:openai|anthropic|the (?:developers?|vendor|model))",
    ),
    (
        "authority",
        0.8,
        r"(?:새로운|새|추가|최종|긴급|우선|최우선|특별|비밀|갱신된|변경된|수정된) (?:시스템 |관리자 )?(?:지시|명령|프롬프트)(?:사항|문|어)?(?:이다|입니다|을 (?:따르|내린)|가 (?:적용|내려)| ?[:：\])])",
    ),
    (
        "authority",
        0.9,
        r"(?:이|본|위|아래|다음) ?(?:지시|명령|프롬프트)(?:사항|문)?(?:은|는|이|가)? ?(?:다른|모든|이전|기존)[^.!?\n]{0,12}?(?:지시|명령|규칙|프롬프트|지침)(?:보다|을|를|에)? ?(?:우선|대체|앞서|무효)",
    ),
    ("authority", 0.5, r"(?:최우선|긴급|비밀|숨은) (?:지시|명령|프롬프트)(?:사항|문)?"),
    (
        "authority",
        0.6,
        r"(?:최우선|가장 높은 우선|절대적(?:인)?)(?:으로|순위)? ?(?:\S+ )?(?:지시|명령|적용|따르|처리)|(?:이|본|위|아래|다음) (?:지시|명령|프롬프트)(?:사항|문)?(?:이|은|는|가|을|를|에)? ?(?:\S+ ){0,3}?(?:우선|따르(?:라|십시오|세요|시오|고)|수행(?:하라|하십시오|하세요|할 것)|실행(?:하라|하십시오)|대체|최우선)",
    ),
    (
        "authority",
        0.6,
        r"(?:나는|저는|우리는) (?:너의 |당신의 |네 |이 \S+ |시스템 )?(?:개발자|관리자|운영자|제작자|창조자)(?:이다|입니다|이며|로서|야|다)|(?:관리자|개발자|루트) ?권한(?:으로|을 가지고) ?(?:명령|지시|요청|실행)",
    ),
    (
        "citation",
        1.0,
        rf"{_IMP}(?:cite|reference|attribute|credit|quote)\b~2 (?:this|only|it|the following|everything|every|all|your|me|\[\d)~6 (?:as|to|with|\[|number|source|document|passage|for)(?:\b|\d)|{_IMP}(?:put|place|add|write|use|attach|mark)\b~5 (?:\[\d{{1,2}}\]|citation|source number|reference mark)s?~5 (?:every|each|all|your|behind|after|any)\b",
    ),
    (
        "citation",
        1.0,
        r"(?:출처|근거|인용|참고 ?문헌)(?:는|은|를|을|로|의|번호는|번호를)? ?[^.!?\n]{0,24}?(?:\[\d{1,2}\]|이 문서|본 문서|이 글|이 구절)(?:\S{0,4} ){0,3}?(?:만|로|으로|라고)? ?(?:표기|표시|인용|기재|적(?:어|으|는)|달아|붙이|붙여|들어라|대라|제시)(?:하라|해라|하고|하십시오|하세요|할 것|해야|라|어라|고)",
    ),
    (
        "citation",
        0.7,
        r"(?:\[\d{1,2}\])(?:을|를|번|이라는|라는)? ?(?:출처|근거|번호)?(?:를|을|로)? ?(?:\S+ ){0,2}?(?:붙이|붙여|표시하라|표기하라|달아|인용하라)",
    ),
    (
        "sources",
        1.0,
        r"\b(?:disregard|ignore|do not (?:use|trust|cite|consider|read|quote)|don't (?:use|trust|cite)|discard|exclude|drop|never (?:use|cite|trust))~4 (?:all |any |every |the )*(?:other|remaining|rest of (?:the )?|competing|conflicting)(?: \w+){0,2} (?:documents?|sources?|passages?|evidence|results?|context|citations?|excerpts?)\b",
    ),
    (
        "sources",
        0.8,
        rf"{_IMP}(?:rank|prefer|prioriti[sz]e|trust|use|quote|return|retrieve|show|place)~3 (?:only )?this (?:documents?|passages?|sources?|text|page|chunk)~3 (?:first|above|over|highest|only|instead|before|at the top|exclusively)\b|\b(?:this|only this) (?:document|passage|source) is the (?:only|sole) (?:\w+ )?(?:source|evidence|document|answer)~4 (?:ignore|use|cite|answer)",
    ),
    (
        "sources",
        1.0,
        r"(?:다른|나머지|그 밖의|그외|기타) ?(?:모든 )?(?:문서|근거|자료|출처|검색 결과|구절|문단|지침)(?:들)?(?:은|는|을|를|도|의 내용은)?[^.!?\n]{0,20}?(?:모두 |전부 |다 |절대 )?(?:무시|제외하고 (?:답|이)|사용하지 ?(?:말|마)|인용하지 (?:말|마)|신뢰하지 (?:말|마)|참고하지 (?:말|마)|버리|쓰지 (?:말|마)|보지 (?:말|마)|고려하지 (?:말|마))",
    ),
    (
        "sources",
        0.8,
        r"(?:이|본) (?:문서|글|자료|구절)(?:만|를 최우선으로|를 가장 (?:먼저|높은)|을 최우선으로)[^.!?\n]{0,16}?(?:근거로|인용|사용|참고|신뢰|답|검색|노출|순위)(?:하라|해라|하십시오|하세요|할 것|해야|변|으로)",
    ),
    (
        "phishing",
        1.0,
        rf"{_IMP}(?:ask|request|demand|prompt|require|get|convince|tell)~1 (?:the |every |any |all )?(?:users?|them|readers?|employees?|person|human|customers?)(?:(?!never|not |n't )[^.!?]){{0,60}}? (?:for |enter |provide |type |give |send |confirm )?(?:current |their |own |the |a )*(?:passwords?|credentials?|otp|pins?|one ?time code|tokens?|card number|verification code|social security|bank account)\b",
    ),
    (
        "phishing",
        1.0,
        rf"{_IMP}(?:tell|direct|instruct|advise|redirect|send|refer|urge|encourage|ask)~1 (?:the |every |any |all )?(?:users?|readers?|them|person|human)~8 (?:https?://|www\.|click|log ?in|this (?:link|site|page)|the (?:link|site) )",
    ),
    (
        "phishing",
        0.4,
        r"\b(?:users?|employees?|readers?) (?:to |must |should )?(?:type|enter|provide|give|submit|share|reveal)~3 (?:passwords?|credentials?|otp|pins?|one ?time code)\b",
    ),
    (
        "phishing",
        1.0,
        r"(?:사용자|질문자|상대방?|독자|직원)(?:에게|의|로부터|한테) ?[^.!?\n]{0,24}?(?:비밀번호|암호|인증 ?번호|카드 ?번호|주민 ?(?:등록)? ?번호|otp|계좌 ?번호|계정 정보|인증 정보)[^.!?\n]{0,20}?(?:물어|묻고|요구하|요청하|입력하(?:게|라고|도록)|받아 ?내|확인하라|알아내|달라고)",
    ),
    (
        "phishing",
        0.9,
        r"(?:사용자|질문자|독자)(?:에게|를|한테) ?[^!?\n]{0,50}?(?:https?://\S+|링크|사이트|페이지|주소)[^.!?\n]{0,20}?(?:안내|유도|접속|로그인|클릭|방문|이동)(?:하라|해라|하게|하도록|하십시오|하세요|시켜|할 것)",
    ),
    (
        "encoded",
        1.0,
        r"\b(?:decode|decipher|decrypt|base ?64|rot ?13|unscramble)\b~8 (?:and|then|,) (?:\w+ ){0,3}?(?:follow|execute|obey|run|do|perform|comply|carry out|apply)\b|(?:디코딩|해독|복호화|base ?64|거꾸로|역순)[^.!?\n]{0,24}?(?:따르|실행하|수행하|이행하|지시대로|명령대로)",
    ),
    (
        "encoded",
        0.5,
        r"\b(?:decode|decipher|unscramble)\b~6 (?:base ?64|rot ?13|hex|string|text|message|payload)|(?:base ?64|rot ?13|16진수)[^.!?\n]{0,12}?(?:디코딩|해독)",
    ),
)


def _compiled(pattern: str, gap: str) -> re.Pattern[str]:
    words = re.sub(r"~(\d)", lambda m: rf"[^.!?]{{0,{9 * int(m.group(1))}}}?", pattern)
    parts = re.split(r"((?<!\\)\[(?:\\.|[^\]\\])*\])", words)  # a blank inside of brackets stays one
    return re.compile("".join(part if part.startswith("[") else part.replace(" ", gap) for part in parts))


def _signs() -> Iterator[Sign]:
    for kind, weight, pattern in _TABLE:
        plain = _compiled(pattern, r"(?:[^\w.!?]{0,8})" if re.search("[가-힣]", pattern) else r"(?:[^\w.!?]{1,8})")
        squeezed = None
        if kind in _SQUEEZED and weight >= 0.6:
            squeezed = _compiled(pattern.replace(r"\b", "").replace(_NOT_BEHIND, ""), r"(?:[^\w]*)")
        yield Sign(kind, weight, plain, needed_words(plain.pattern), squeezed)


SIGNS: tuple[Sign, ...] = tuple(_signs())
