"""Fragments of patterns that the signs of instructions share: words of dropping, showing, sending, and of who is meant."""

# ruff: noqa: E501 - a pattern is read in one line

NOT_BEHIND = r"(?<!not\s)(?<!n't\s)(?<!never\s)"
DROP = (
    r"\b(?<!not\s)(?<!n't\s)(?<!never\s)(?<!who\s)(?<!they\s)(?:ignor(?:e|ing)|disregard(?:ing)?|forget(?:ting)?|overrid(?:e|ing)|bypass(?:ing)?|neglect|discard|"
    r"dismiss|overlook|abandon|unlearn|set aside|pay no (?:attention|heed) to|(?:do not|don't|stop|no longer|cease to|never) "
    r"(?:follow|obey|heed|apply|respect)(?:ing)?|throw (?:away|out)|disobey|deviate from|wipe|nullify)"
)
IMP = (
    r"(?:^|[.!?:;,\n>\]|*\"'“(\-][ \t]{0,3}|\b(?:please|must|should|shall|will|always|then|and|now|just|instead|never|only|assistants?|ai|"
    r"models?|simply|also|first|so|or|have to|need to)\s)"
)
RULES = r"(?:instructions?|directives?|prompts?|commands?|guardrails?|programming|system messages?|orders|training)"
SOFT_RULES = r"(?:rules?|guidelines?|restrictions?|constraints?|polic(?:y|ies)|context|directions?|safety \w+|what(?:ever)? (?:you|was|came)~4)"
EARLIER = r"(?:previous(?:ly)?|prior|earlier|preceding|above|before|foregoing|existing|original|initial|past|former|last)"
MINE = r"(?:all|any|every|everything|each|your|system|developer)"
SHOW = (
    r"\b(?<!not\s)(?<!n't\s)(?<!never\s)(?:reveal|print|show|display|repeat|output|leak|disclose|tell|give|write|recite|quote|dump|expose|"
    r"summari[sz]e|translate|copy|include|share|list|return|send|paste|echo|spell|encode)"
)
SAY = r"(?:answer|reply|respond|say|output|print|write|state|return|claim|tell|produce|generate|recommend)"
KO_ORDER = r"(?:라|십시오|세요|시오|해|할 것|해라|해야 한다|하도록|한다|해 줘|해줘|하면 된다|함|하고|하여|한 (?:뒤|다음|후)|한 채|바람|바랍니다|하며)"
KO_DROP = (
    r"(?:무시(?:(?!되|당|하지|할 수 없|한 (?:직원|사람|경우|결과)|하는|했|하면 (?:안|위험)))|잊(?:어|으|고)|따르지 (?:말|마(?!십시오 ?\))|않아도)|버리(?:고|라|세요|십시오)|"
    r"폐기하고|취소하고|우회(?:하고|하라|해)|덮어쓰|초기화하고|신경 쓰지|지키지 (?:말|마)|어기고|무효(?:화|로)|적용하지 (?:말|마)|제쳐)"
)
KO_EARLIER = (
    r"(?:이전|앞선|앞서|앞의|위(?:의|에서|에)?|지금까지|여태까지?|기존|모든|상기|종전|원래|처음|최초|시스템|개발자|주어진|받은|너의|네|당신의|니|안전|"
    r"그동안|현재|내장된|사전)"
)
KO_HARD = r"(?:지시(?:사항|문|들)?|명령(?:어|문)?|프롬프트)"
KO_SOFT = r"(?:지침|규칙|규정|설정|제약(?:사항)?|제한(?:사항)?|맥락|문맥|컨텍스트|가이드라인|원칙|역할|정책|대화|내용|조건|임무|과제|목표|목적|임무)"
DATA = (
    r"(?:conversations?|chat (?:history|log)s?|history|prompts?|(?:user|reader|person|employee)(?:'?s)? (?:questions?|data|input|messages?|name|"
    r"emails?|quer(?:y|ies))|questions?|quer(?:y|ies)|context|system prompt|api keys?|passwords?|secrets?|credentials?|tokens?|session|evidence|"
    r"(?:retrieved|other|internal|confidential|all|private|salary|personal) (?:documents?|passages?|text|data|information|records?|files?|content))"
)
SEND = r"(?:send|post|forward|upload|transmit|exfiltrate|e ?mail|leak|submit|append|encode|attach|put|insert|pass|report|deliver|smuggle)"
KO_DATA = (
    r"(?:대화(?: (?:기록|내용|이력))?|질문|프롬프트|문맥|컨텍스트|비밀번호|암호(?!화)|api 키|토큰|기밀|개인정보|근거|검색 결과|다른 문서|답변|인증 정보|"
    r"사용자(?:의|가)? (?:정보|이름|입력|질문)|급여|연봉|내부 (?:자료|문서|정보))"
)
KO_SEND = r"(?:보내(?!지|는 방법)|전송(?!되|하지|하는 방법)|전달하(?!지)|첨부하(?!지)|붙이(?!지)|붙여|포함하(?!지)|포함시|업로드(?!하지)|호출(?!하지)|넣어|제출하(?!지)|유출|덧붙)"
URL = r"(?:https?://|www\.|\burl\b|\blinks?\b|webhook|\bserver\b|endpoint|@[\w.]+\.\w|query (?:string|parameter)|\bimages?\b|pixel|markdown)"
KO_URL = r"(?:https?://\S*|\burl\b|주소|링크|서버|웹훅|메일|이미지|매개변수|파라미터|사이트)"
MODEL = (
    r"(?:a\.?i\.?(?: (?:assistant|model|agent|system|bot)s?)?|llms?|(?:large )?language models?|chat ?(?:gpt|bots?)|gpt[\w.\-]*|claude|gemini|"
    r"(?:virtual |digital )?assistants?|copilot|bots?|summari[sz]ers?|model|retriever|agent)"
)
KO_MODEL = (
    r"(?:(?:ai|인공지능|생성형 ai)(?: (?:비서|도우미|모델|어시스턴트|에이전트|챗봇|시스템|답변기|검색))?|llm|챗 ?봇|(?:거대 ?)?언어 ?모델|어시스턴트|챗 ?gpt|gpt|"
    r"도우미(?= ai)|답변 ?(?:생성기|모델|엔진))"
)
