"""Signs of orders: instructions dropped or asked for, another role, a model spoken to, a claim to stand above others."""

# ruff: noqa: E501 - a pattern is read in one line

from llmflow.screening.words import (
    DROP,
    EARLIER,
    IMP,
    KO_DROP,
    KO_EARLIER,
    KO_HARD,
    KO_MODEL,
    KO_SOFT,
    MINE,
    MODEL,
    RULES,
    SHOW,
    SOFT_RULES,
)

ORDERS: tuple[tuple[str, float, str], ...] = (
    # drop what you were told
    ("override", 1.0, rf"{DROP}~3 {MINE}~4 (?:{RULES}|{SOFT_RULES})\b"),
    ("override", 0.6, rf"{DROP}~3 {EARLIER}~3 (?:{SOFT_RULES}|text|messages?|documents?|content)\b"),
    ("override", 1.0, rf"{DROP} (?:the )?(?:{EARLIER}|(?:that|this)~2 (?:above|before)) {RULES}\b"),
    (
        "override",
        1.0,
        rf"{DROP}~3 (?:{RULES}|{SOFT_RULES})~1 (?:that )?(?:you (?:were|have|had|got|received|are)|given to you|above)\b",
    ),
    ("override", 0.8, rf"{DROP}~4 {EARLIER}~3 {RULES}\b"),
    ("override", 0.8, rf"{DROP}~3 {RULES}~4 (?:{EARLIER}|given|received|so far|until now|you have|you were)\b"),
    (
        "override",
        1.0,
        rf"{DROP} (?:everything|anything|all)(?: that)?(?: (?:was|is|you))?~3 (?:above|before|previously|earlier|prior|told|said|know|learned)\b",
    ),
    (
        "override",
        0.7,
        r"\b(?:your (?:\w+ )?(?:instructions?|rules?|prompts?|guidelines?|restrictions?)|(?:the|all|these) (?:\w+ )?(?:instructions?|prompts?|restrictions?))~2 (?:no longer|do not|don't) (?:apply|hold|matter|bind)",
    ),
    (
        "override",
        0.4,
        r"\b(?:the|all|these) (?:\w+ )?(?:rules?|guidelines?)~2 (?:no longer|do not|don't) (?:apply|hold|matter|bind)",
    ),
    (
        "override",
        0.5,
        rf"{KO_EARLIER}[^.!?\n]{{0,10}}?(?:{KO_HARD}|{KO_SOFT})(?:은|는|이|가|들은|들이)? ?(?:더 ?이상|이제|모두|전부)? ?(?:유효하지|적용되지|효력이 없|효력을 잃|무효|쓸모없|없던 일)",
    ),
    (
        "override",
        0.7,
        r"\b(?:your|the) (?:new|real|actual|true|only) (?:instructions?|task|job|objective|goal|mission|directives?|purpose) (?:is|are)\b",
    ),
    ("override", 1.0, rf"{KO_EARLIER}[^.!?\n]{{0,18}}?{KO_HARD}[^.!?\n]{{0,30}}?{KO_DROP}"),
    ("override", 0.8, rf"{KO_EARLIER}[^.!?\n]{{0,14}}?(?:{KO_HARD}|{KO_SOFT})(?:과|와|의|을|를)? ?(?:대신|달리|반대로)"),
    (
        "override",
        0.7,
        r"(?:안전|보안|윤리|필터|검열)(?: 설정| 장치| 규칙| 필터| 제한| 기능)?(?:을|를)? ?(?:모두 )?(?:해제|끄고|꺼|무시|비활성)",
    ),
    ("override", 0.9, rf"{DROP}~2 what~4 (?:told|said|instructed|wrote|asked|set)\b"),
    ("override", 0.8, rf"{DROP} (?:the |this |all |any )(?:retrieved )?(?:evidence|passages?|retrieved|questions?)\b"),
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
    ("override", 0.7, rf"{KO_EARLIER}[^.!?\n]{{0,14}}?{KO_SOFT}[^.!?\n]{{0,10}}?{KO_DROP}"),
    ("override", 0.6, rf"{KO_HARD}(?:을|를|은|는|도)? (?:모두 |전부 |다 )?{KO_DROP}"),
    (
        "override",
        1.0,
        r"(?:忽略|无视|忘记|忘掉|不要理会)[^。]{0,12}(?:指令|指示|提示|规则|说明)|(?:以前|上記|これまで|前|すべて)の[^。]{0,8}(?:指示|命令|プロンプト|ルール)[^。]{0,6}(?:無視|忘れ)|"
        r"\b(?:ignor(?:a|ad|ez|ar|er|iert?|ieren|iere|e (?=tout|les|tes|vos|as |todas|o )|are)|olvida|oublie[zr]?|vergiss|vergessen|missachte\w*|dimentica|esque[cç]a|desconsidere|negeer|zignoruj|игнорируй\w*|забудь\w*|abaikan|lupakan)\b[^.!?\n]{0,32}?"
        r"(?:instruc\w+|instruk\w+|instructies|istruzioni|anweisung\w*|vorgaben|consignes|regeln|reglas|regras|règles|polecenia|инструкци\w+|указани\w+|petunjuk|indica[cz]\w+)|"
        r"(?:bỏ qua|hãy quên)[^.!?\n]{0,20}(?:hướng dẫn|chỉ dẫn|lệnh)",
    ),
    # what are you told
    (
        "prompt",
        1.0,
        rf"{SHOW}~6 (?:(?:the |your |this |its |full |entire |complete )*(?:system|initial|hidden|developer|original|secret|base|pre|internal) ?(?:prompt|message)s?)\b",
    ),
    (
        "prompt",
        1.0,
        rf"{SHOW}~5 (?:your|hidden|secret|developer) (?:\w+ ){{0,2}}(?:instructions?|prompts?|guidelines?|configuration|directives?|rules)\b",
    ),
    (
        "prompt",
        0.8,
        rf"{SHOW}~6 (?:messages?|text|words|instructions?|everything|content)~2 (?:that |which )?(?:precedes?|preceding|came before|stands? above|(?:comes |is |are )?(?:before|above) (?:this|here))\b",
    ),
    (
        "prompt",
        0.8,
        r"\b(?:translate|repeat|summari[sz]e|encode|output|reveal|recite|paraphrase)~2 (?:above|preceding|previous|earlier|initial) (?:instructions?|prompt|rules|messages?|directives?)\b",
    ),
    (
        "prompt",
        0.5,
        rf"{SHOW}~4 (?:api keys?|passwords?|credentials|secrets?|confidential \w+|internal (?:notes|documents|data)|hidden (?:rules|notes)|documents? (?:list|you have)|list of (?:\w+ )?documents)\b",
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
        rf"{SHOW}~5 (?:everything|all (?:the )?(?:text|words|lines)|the (?:text|words|lines)|what (?:is|was|came|stands)) (?:written |that came )?(?:above|before)\b",
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
    (
        "role",
        0.6,
        r"\byou(?:'re| are) (?:now|no longer|henceforth|from now on)\b(?! (?:responsible|ready|able|connected|logged|eligible|entitled|required|leaving|viewing|registered|enrolled|subscribed|signed)\b)",
    ),
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
    (
        "role",
        0.7,
        rf"{IMP}(?:pretend to be|impersonate|role ?play as|assume the role of) (?:an?|the|my|our)\b(?! (?:\w+ )?(?:customer|patient|caller|guest|visitor|client|applicant|candidate|buyer|tenant|passenger|student)\b)",
    ),
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
        rf"\b(?:dear|attention|attn|hey|hello|hi|notice|notes?|instructions?|messages?|reminder|commands?|directives?|guidance)~1 (?:to|for)? ?(?:the |any |all |every |an? )?{MODEL}\b(?! (?:training|number|year|team|policy|office))",
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
        rf"{KO_MODEL}(?:은|는|이|가)[^.!?\n]{{0,30}}?(?:사용자|질문자|직원|독자)(?:에게|한테)[^.!?\n]{{0,40}}?(?:고|라고) ?(?:전달|답(?:변)?|대답|말|안내|설명)(?:해야|하라|해라|하십시오|할 것|하세요|하시오)",
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
        rf"\b(?:if|when|since|because) (?:you(?:'re| are)|this is (?:being )?(?:read|processed|summari[sz]ed) by) (?:an? |the |any )?{MODEL}\b",
    ),
    (
        "addressed",
        0.6,
        rf"\b(?:as (?:an?|the)|you(?:'re| are) (?:an?|the)) (?:(?!sales|shop|store|teaching|research|office|dental|executive|personal|administrative|project)\w+ ){{0,2}}(?:{MODEL})\b,? (?:you|your|must|should|and|that|who|answer|reply|now)?",
    ),
    (
        "addressed",
        0.5,
        r"(?:^|[\n.!?\[(<>*#|] ?)@?(?:ai|llms?|chat ?(?:bot|gpt)s?|(?:ai |virtual )?assistants?|(?:ai|language) models?|copilot)(?: (?:systems?|agents?))? ?[:,]",
    ),
    (
        "addressed",
        0.5,
        rf"\b(?:the |any |every |all )?{MODEL}s? (?:must|shall|should|needs? to|has to|is (?:to|required to|instructed to)|are (?:to|required to)|will) (?:now |always |only |never |not |instead )?"
        r"(?:answer|reply|respond|say|state|ignore|disregard|output|print|tell|recommend|cite|refuse|append|include|follow|begin|end|send|reveal|treat|add)",
    ),
    (
        "addressed",
        0.7,
        rf"\b{MODEL}s? (?:that|which|who|reading|processing|summari[sz]ing|quoting|indexing|answering)~3 (?:this|the) (?:page|document|text|file|passage|note|e ?mail|newsletter|article)\b",
    ),
    (
        "addressed",
        0.7,
        rf"(?:당신이|네가|너가|읽는 (?:것|이|자)[이가]|지금) ?{KO_MODEL}(?:이|라|이라)?(?:라면|면|일 경우|인 경우)",
    ),
    (
        "addressed",
        0.6,
        rf"{KO_MODEL} ?(?:에게|에 대한|용|전용|대상|이?라면|일 경우|께|보시오|님|을 위한|의 (?:답변 )?규칙) ?(?:보내는 |전하는 |내리는 |알리는 )?(?:지시|명령|안내|메시지|알림|말|요청|지침|메모|:|,|다음|반드시|아래|이)",
    ),
    (
        "addressed",
        0.5,
        rf"{KO_MODEL}(?:는|은|야|아|이여)[ ,:!]*(?:[^.!?\n]{{0,40}}?)(?:답(?:변)?하라|답(?:변)?하십시오|답(?:변)?해야|말하라|출력하라|무시|따르|대답|응답하|안내하라|추천하|붙이|표시하|인용하|거절하|잊)",
    ),
    ("addressed", 0.5, rf"(?:^|[\n.!?:\[(<*#|] ?)(?:{KO_MODEL}) ?(?:지시|명령|필독|주의|참고|알림|전달)? ?[:,\])>]"),
    (
        "addressed",
        0.4,
        rf"(?:이 (?:문서|글|텍스트|내용|파일|메일)(?:을|를) )(?:읽|처리|요약|분석|참조)(?:는|하는|고 있는) ?(?:\S+ )?{KO_MODEL}",
    ),
    (
        "authority",
        1.0,
        r"\b(?:system |safety )?prompt override\b|\boverride ?:(?! ?(?:true|false|yes|no|on|off|null|\d|\[|\{))|\b(?:safety|security|content) override\b",
    ),
    (
        "authority",
        0.9,
        r"\b(?:system|admin(?:istrator)?|security|developer|root|master|emergency) override\b|\boverride (?:code|protocol|sequence|authori[sz]ation)\b(?=[ :#]{1,3}[\w\-]*\d)|\bsudo (?:mode|ignore|reveal|print|show|answer)",
    ),
    ("authority", 0.4, r"\boverride (?:code|protocol|sequence|authori[sz]ation)\b"),
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
)
"""Kind, weight, pattern; the notation is that of signs.py."""
