"""Words that tell a Korean or Latin personal name from the other answers a form field gets."""

SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염"
    "여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용예경봉사부"
)
COMMON_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진엄채원천방공현함변염추"
)
DOUBLE_SURNAMES = ("남궁", "황보", "제갈", "사공", "선우", "서문", "독고", "동방")

GIVEN_SYLLABLES = frozenset(
    "가강건겸경계고관광교구국권규균근금기길나남내노다단달담대덕도동두라란람랑래려련례로록루류리린림마만매명모목무문미민"
    "바반배백범별병보복봉봄부빈빛사산삼상새샘서석선설섭성세소솔송수숙순슬승시식신실심아안애양언여연열영예오옥온완왕용우"
    "욱운웅원월위유윤율융은을음의이익인일임자장재전점정제조종주준중지진찬창채천철청초춘충치탁태택평표필하학한해향헌"
    "혁현형혜호홍화환황효후훈휘희늬늘"
)

UNIT_ENDINGS = "팀부과처청회반계장"
"""Last syllables of a unit or a post that hardly a given name has."""
UNIT_ENDINGS_OF_NAMES_TOO = "실국원소단대관사자인용"
"""Last syllables that end names as well: a unit only behind one of `UNIT_STEMS`."""
UNIT_SUFFIXES = ("센터", "본부", "그룹", "지점", "은행", "학교", "대학", "업체", "회사", "법인", "기관", "부서", "담당", "파트")

_UNIT_STEMS = (
    "전략 기획 인사 재무 총무 감사 비서 홍보 정보 전산 연구 교육 관리 운영 영업 개발 경영 안전 품질 생산 구매 자재 "
    "법무 회계 고객 마케 기술 보안 서비 시스 시설 설비 물류 정책 국제 사업 사무 행정 복지 보건 의료 환경 건설 도시 "
    "주택 교통 문화 체육 관광 농업 산업 경제 금융 투자 심사 조사 조달 계약 예산 결산 세무 자금 해외 국내 지역 중앙 "
    "수도 서울 부산 대구 인천 광주 대전 울산 충청 전라 제주 한국 공지 문서 공공 공통 공동 전체 전사 현장 주문 주요 "
    "원격 제품 상품 무선 조직 조회 신입 신청 성능 차량 방송 우편 배송 배포 문의 고정 고용 고장 강의 강사 장비 장애 "
    "장소 장치 오류 서버 서명 서류 안전 양식 심의 노무 노동 하자 성적 주간 주식 구조 구축 민간 민사 진료 지점 채용 "
    "채널 원본 원가 천연 방법 방화 공장 공급 현황 함수 변경 변호 염색 여성 추가 추천 도로 도서 소속 소방 소프 석유 "
    "선박 설계 설정 마감 연락 연구 연금 위탁 위원 표준 기계 기관 반도 금액 금형 인프 인증 인력 제조 제안 모델 모바 "
    "용역 예비 예약 경비 사용 부품 부동 부속"
)
UNIT_STEMS = frozenset(_UNIT_STEMS.split())

_NOUNS = (
    "전원 이사 주임 고문 이하 이상 기사 기자 교수 강사 조교 조장 간사 임원 위원 의사 성명 성함 성인 남자 남성 남녀 "
    "여자 여성 노인 소인 본인 우리 공석 공란 공용 공동 공개 유지 유료 무료 임의 임시 자동 수동 신규 신청 서명 서울 "
    "한국 기타 기본 기존 정보 정상 정지 정식 주소 주인 지정 지원 전화 전체 전산 현재 현장 하위 상위 상시 예시 예정 "
    "인사 조사 조정 조치 조회 변경 변수 문서 문의 문자 이름 이전 이용 이유 도로 도서 서버 서류 서식 석사 선임 설정 "
    "안내 안전 양식 오류 오전 오후 원본 원서 원장 위치 제목 제품 제조 주문 주요 진행 차량 채용 추가 추천 표시 표준 "
    "하자 한글 한자 홍보 구매 구분 고객 고정 공사 공지 과제 관리 금액 금일 남산 노무 마감 모두 모집 민원 반납 방문 "
    "방법 배송 배포 백업 부서 사유 사원 성별 성과 소속 송신 수신 신고 심사 연구 연락 영업 우선 우편 운영 길이 명의 "
    "문제 경유 기한 기획 국내 국제 용도 유형 유효 은행 여부 최대 최소 최종 최신 최초 정기 정규 정원 정수 강의 강조 "
    "조건 조직 장비 장소 장애 임대 한도 오늘 서비스 신용 권한 황색 고유 문구 양호 배경 백색 허가 허용 심의 노선 하단 "
    "상단 성공 차단 차이 주의 주기 주제 구성 구조 구축 민간 진료 지역 지점 방식 방향 공식 공유 현황 함수 여행 추정 "
    "도시 도구 소유 소유자 석유 마스터 정수기 전화기 이어폰 노트북 안경 선풍기 임직원 고객사 협력사 외부인 관리자 "
    "담당자 이용자 사용자 신청자 작성자 미지정 이메일 전기차 안내서 안내문 신분증 정사원 주사위 전자기 조명기 정미기 "
    "주전자 고무신 유모차 우유 구두 지우개 최고 최저 전부 전무 상무 임차인 임대인 전송 정제수 서비스명 한우 정장 유자 "
    "구성원 임원진 임원실 강원도 정규직 신규자 이동식 유선상 안내원 안내소 기타인 정부과 전자과 지원단 지원실 민원실 "
    "민원인 선임자 지정인 방문자 여행사 공사단 유지관 경기도 전화국 안내자 이전자 정보원 변경시 변경일 주소지 기재란 전자서"
)
NOUNS = frozenset(_NOUNS.split())
"""Answers that begin with a surname's syllable and are no name."""

_LATIN_NOUNS = (
    "team department dept division group center centre service services system systems server support office company "
    "corp corporation inc ltd llc co bank university school hospital institute agency product project program "
    "platform software solution solutions model database api application app data file report manager admin "
    "administrator user test name none null unknown new old the a an of and north south east west red blue green "
    "black white pro max plus mini ultra air book pad phone note galaxy desk table chair widget catalog default "
    "example sample value string number total main primary secondary global national international seoul korea "
    "samsung hyundai google microsoft amazon apple oracle linux windows ubuntu python java kubernetes docker human "
    "resources sales marketing finance engineering research development operations security quality legal customer "
    "helpdesk desk unit lab labs studio holdings pending internal external standard premium basic annual monthly "
    "weekly daily quarterly design review policy guide manual"
)
LATIN_NOUNS = frozenset(_LATIN_NOUNS.split())
"""Lower-case words that companies, products and departments are called by."""
