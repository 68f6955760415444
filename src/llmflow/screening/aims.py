"""Signs of aims: what is to be answered, hidden, cited, sent away or run, and forged turns, templates and encodings."""

# ruff: noqa: E501 - a pattern is read in one line

from llmflow.screening.words import DATA, IMP, KO_DATA, KO_SEND, KO_URL, SAY, SEND, URL

AIMS: tuple[tuple[str, float, str], ...] = (
    (
        "control",
        0.7,
        r"(?:^|[.!?\n])(?:(?!고객|민원|손님|상담|문의|환자)[^.!?\n]){0,80}?(?:다|라)고 ?(?:답(?:변)?|대답|응답)(?:하십시오|하세요|할 것|하시오)",
    ),
    ("image", 0.7, r"이미지(?:를|을)? ?(?:\S+ ){0,2}?(?:넣어라|삽입하라|출력하라|표시하라|넣으십시오|붙여라)"),
    # what is answered
    (
        "control",
        0.8,
        rf"{IMP}(?:only|just|simply|exactly|always|solely) (?:ever )?(?:answer|reply|respond|say|output|claim)\b (?:with\b|that\b|the\b|this\b|:|\"|'|“|in\b|yes\b|no\b)",
    ),
    (
        "control",
        1.0,
        rf"{IMP}(?:answer|reply|respond|output)\b (?:with |in |using )?(?:only|exactly|just|nothing but|nothing else|exclusively|solely)\b (?:with|the|:|\"|'|“|in|one|yes|no|by)",
    ),
    (
        "control",
        0.7,
        rf"{IMP}(?:answer|reply|respond|say|output|print|write)\b~3 (?:only|exactly|just|nothing but|nothing else|exclusively|verbatim|literally|solely)\b(?! (?:if|when|by|after|from|to|once|upon|for)\b)",
    ),
    (
        "control",
        0.4,
        r"\b(?:must|shall|should|has to|have to) (?:always |also )?(?:add|include|mention|link|recommend|promote|insert|append)\b",
    ),
    ("control", 0.6, rf"{IMP}(?:answer|reply|respond|say) (?:that\b|with\b|:|no\b|yes\b|there|it\b|nothing|never)"),
    (
        "control",
        0.4,
        rf"{IMP}(?:include|add|insert|use|mention|contain)\b (?:only )?the (?:exact |following )?(?:phrase|words?|sentence|string|code)\b",
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
        rf"\b(?:must|shall|should|will|have to|need to|are to|always|instead,?|please|then|and|now) (?:always |only |instead |now |simply |just )?{SAY}\b (?:with\b|that|as follows|:|\"|'|“|the (?:following|words?|phrase|sentence|user)|to (?:the|any|every) user|every|all|any|in)",
    ),
    (
        "control",
        0.6,
        r"\b(?:regardless of|no matter|irrespective of|whatever|independent of) (?:what|which|how|the|is|they|users?)~4 (?:questions?|asks?|asked|quer(?:y|ies)|inputs?|requests?|says?|topic)\b",
    ),
    (
        "control",
        0.6,
        rf"\b(?:when(?:ever)?|if|every time|anytime|each time) (?:\w+ ){{0,3}}(?:asks?|asked|asking|quer(?:y|ies)|queried|questions?|questioned|inquires?)\b(?! for\b)~9 (?:you )?(?:must |should |will |always |just |only )*{SAY}\b",
    ),
    (
        "control",
        1.0,
        rf"{IMP}(?:begin|start|end|prefix|append|finish|close|preface|conclude|open|sign|add|insert|include|put|place)\b~6 (?:to|in|at|of|into|after)? ?(?:the (?:end|start|beginning|top|bottom) of )?"
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
        rf"{IMP}{SAY}\b~4 in (?:the form of |the style of |valid |pure |raw )?(?:json|xml|yaml|base64|pirate|rhymes?|rot13|hex|binary|morse|leetspeak|emojis?|all caps|uppercase|capital letters|verse|haiku|a poem|klingon|latin|french|german|spanish|chinese|japanese)\b",
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
        rf"{IMP}(?:refuse|decline) to (?:answer|respond|reply)(?: to)? (?:any|every|all|questions?|the user|users|them|requests?)\b|\b(?:tell|inform) (?:the |any |every |all )?(?:users?|readers?|them|everyone|people)~2 you (?:cannot|can't|do not|don't|are not|aren't|are unable|have no)",
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
    ("exfiltration", 1.0, rf"{IMP}{SEND}\b~8 {DATA}\b~8 {URL}"),
    (
        "exfiltration",
        0.8,
        rf"(?:https?://|www\.|webhook)\S{{0,80}}~3 (?:and |with |including |containing |carrying ){SEND}?~4 {DATA}\b",
    ),
    (
        "exfiltration",
        0.9,
        rf"{IMP}(?:fetch|visit|load|open|call|request|browse(?: to)?|render|display|show|insert|include|embed|generate)\b~5 (?:{URL})\S{{0,80}}~3 (?:and|with|including|containing|carrying|plus|followed by)~3 {DATA}\b",
    ),
    ("exfiltration", 0.4, rf"{IMP}{SEND}\b~6 {DATA}\b"),
    ("exfiltration", 0.4, r"https?://[^\s\"'<>)]{4,200}[?&]\w{1,20}=(?=[\s\"'<>)]|$)"),
    ("exfiltration", 1.0, rf"{KO_DATA}(?:[^.!?\n]|\.(?=\w)){{0,40}}?https?://\S+(?:[^.!?\n]|\.(?=\w)){{0,40}}?{KO_SEND}"),
    ("exfiltration", 0.7, rf"{KO_DATA}(?:[^.!?\n]|\.(?=\w)){{0,40}}?{KO_URL}(?:[^.!?\n]|\.(?=\w)){{0,40}}?{KO_SEND}"),
    (
        "exfiltration",
        0.6,
        r"[\w.]+@[\w\-]+\.\w[\w.]*(?:으로|로|에|에게)? ?(?:\S+ ){0,3}?(?:보내고|보내라|전송하라|전달하라|보내십시오)",
    ),
    ("exfiltration", 0.7, rf"{KO_URL}(?:[^.!?\n]|\.(?=\w)){{0,50}}?{KO_DATA}[^.!?\n]{{0,30}}?{KO_SEND}"),
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
        rf"{IMP}(?:call|invoke|execute|trigger|run|use) (?:the |your |any )?[a-z]+_[a-z_]+ (?:tool|function|plugin|api|connector)\b|(?:^|\s)functions\.\w+\(|\b[a-z]+_[a-z_]+\([^)\n]{{0,80}}\)[^.\n]{{0,12}}?(?:호출|실행)(?:하라|해라|하십시오|하세요|할 것|해)",
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
        r"(?:-{2,}|={2,}|#{2,}|\*{2,}|\[|<{2,}) ?(?:\S{1,4} )?(?:근거|문서|자료|컨텍스트|검색 결과|사용자 입력|시스템)(?:의)? ?(?:끝|종료|시작|지시|메시지)|(?:근거|컨텍스트|검색 결과|자료)(?:는|은|가|이)? ?(?:여기(?:까지|서 끝)|끝났)",
    ),
    ("marker", 0.5, r"(?:^|\n)#{2,} ?(?:instructions?|system|response|new task|지시|시스템|명령) ?:?\s*(?:\n|$)"),
    (
        "turn",
        0.8,
        r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:system|developer|admin(?:istrator)?)(?:[ _](?:message|prompt|instructions?|override|notice|note|command|update))[ \t\])*\"']{0,4}[:：](?![ \t]*[\w./\-]+[ \t]*(?:\n|$))",
    ),
    ("tool", 0.4, r"\b(?:call|invoke|execute|run) [a-z]+_[a-z_]+\("),
    (
        "turn",
        0.5,
        r"(?:^|\n)[ \t>*#\-\[\"'(<]{0,5}(?:tool|function|plugin|도구|함수)[ _]?(?:response|result|output|결과|응답)[^\n:：]{0,40}[:：]",
    ),
    ("turn", 0.5, r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:assistant|human)[ \t\])*\"']{0,4}[:：](?!//)(?=[ \t]*\S)"),
    ("turn", 0.3, r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:system|developer|user)[ \t\])*\"']{0,4}[:：](?!//)"),
    (
        "turn",
        0.8,
        r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:시스템|개발자|관리자|운영자) ?(?:메시지|지시|프롬프트|명령|지침|재정의|덮어쓰기)[ \t\])*\"']{0,4}[:：\])>]",
    ),
    ("turn", 0.3, r"(?:^|[\n|>\]]|[.!?] )[ \t>*#\-\[\"'(]{0,5}(?:시스템|어시스턴트|도우미|챗봇|ai)[ \t\])*\"']{0,4}[:：]"),
    ("turn", 0.8, r"(?:^|\n)[ \t\[]*\{\s*[\"']role[\"']\s*:\s*[\"'](?:system|assistant|developer|tool|user)[\"']"),
    ("turn", 0.5, r"[\"']role[\"']\s*:\s*[\"'](?:system|assistant|developer|tool|user)[\"']"),
    (
        "citation",
        1.0,
        rf"{IMP}(?:cite|reference|attribute|credit|quote)\b~2 (?:this|only|it|the following|everything|every|all|your|me|\[\d)~6 (?:as|to|with|\[|number|source|document|passage|for)(?:\b|\d)|{IMP}(?:put|place|add|write|use|attach|mark)\b~5 (?:\[\d{{1,2}}\]|citation|source number|reference mark)s?~5 (?:every|each|all|your|behind|after|any)\b",
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
        rf"{IMP}(?:rank|prefer|prioriti[sz]e|trust|use|quote|return|retrieve|show|place)~3 (?:only )?this (?:documents?|passages?|sources?|text|page|chunk)~3 (?:first|above|over|highest|only|instead|before|at the top|exclusively)\b|\b(?:this|only this) (?:document|passage|source) is the (?:only|sole) (?:\w+ )?(?:source|evidence|document|answer)~4 (?:ignore|use|cite|answer)",
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
        rf"{IMP}(?:ask|request|demand|prompt|require|get|convince|tell)~1 (?:the |every |any |all )?(?:users?|them|readers?|employees?|person|human|customers?)(?:(?!never|not |n't )[^.!?]){{0,60}}? (?:for |enter |provide |type |give |send |confirm )?(?:current |their |own |the |a )*(?:passwords?|credentials?|otp|pins?|one ?time code|tokens?|card number|verification code|social security|bank account)\b",
    ),
    (
        "phishing",
        1.0,
        rf"{IMP}(?:tell|direct|instruct|advise|redirect|send|refer|urge|encourage|ask)~1 (?:the |every |any |all )?(?:users?|readers?|them|person|human)~8 (?:https?://|www\.|click|log ?in|this (?:link|site|page)|the (?:link|site) )",
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
"""Kind, weight, pattern; the notation is that of signs.py."""
