"""Write data/sample/company_qa: questions and answers about a made-up company, for demonstrations of fine-tuning.

    python data/sample/build_company_qa.py

Every fact is asked in many ways, so that a held-out question asks for a fact that was learned in other words. Nothing in it is
about a real company or person.
"""

import json
from pathlib import Path

FACTS = [
    ("연차 휴가", "연차 휴가는 일 년에 열다섯 날입니다."),
    ("반반차", "반반차는 두 시간 단위로 씁니다."),
    ("출장비", "출장비는 매달 말일에 정산합니다."),
    ("법인카드", "법인카드 한도는 한 달에 백만 원입니다."),
    ("재택근무", "재택근무는 한 주에 이틀까지 됩니다."),
    ("건강검진", "건강검진은 해마다 시월에 받습니다."),
    ("비밀번호", "비밀번호는 구십 일마다 바꿉니다."),
    ("노트북 교체", "노트북은 사 년마다 새것으로 바꿉니다."),
    ("회의실 예약", "회의실은 사내 달력에서 예약합니다."),
    ("주차 등록", "주차는 총무팀에 차량 번호를 알려 등록합니다."),
    ("구내식당", "구내식당은 지하 일 층에 있습니다."),
    ("급여일", "급여는 매달 스무닷새에 나갑니다."),
    ("육아휴직", "육아휴직은 일 년까지 쓸 수 있습니다."),
    ("사내 대출", "사내 대출은 재무팀이 맡습니다."),
    ("보안 사고", "보안 사고는 한 시간 안에 보안팀에 알립니다."),
    ("방문자 출입", "방문자는 안내 데스크에서 출입증을 받습니다."),
    ("명함 신청", "명함은 인사 포털에서 신청합니다."),
    ("동호회 지원금", "동호회 지원금은 분기마다 삼십만 원입니다."),
    ("택배 수령", "택배는 일 층 보관실에서 받습니다."),
    ("사원증 분실", "사원증을 잃으면 총무팀에서 다시 만듭니다."),
    ("경조사 휴가", "결혼 휴가는 닷새입니다."),
    ("교육비", "교육비는 한 해에 이백만 원까지 지원합니다."),
    ("시차 출근", "출근은 일곱 시에서 열 시 사이에 합니다."),
    ("퇴직금", "퇴직금은 퇴사 뒤 두 주 안에 나갑니다."),
]
KOREAN = [
    "{}에 대해 알려 주세요.",
    "{} 규정이 어떻게 되나요?",
    "{} 관련해서 궁금합니다.",
    "우리 회사 {} 안내 부탁드려요.",
    "신입인데 {} 설명해 주실래요?",
    "{}, 어떻게 하면 되죠?",
    "{} 기준 좀 알려줘.",
    "혹시 {} 아시나요?",
    "{}은(는) 어떻게 정해져 있어요?",
    "오늘 {} 때문에 문의드립니다.",
    "팀장님이 {} 확인하라고 하셨어요.",
    "{} 내용을 한 줄로 말해 줘.",
]
ENGLISH_FACTS = [
    ("the parking permit", "The general affairs team issues parking permits."),
    ("the travel allowance", "The travel allowance is paid at the end of the month."),
    ("a lost badge", "Report a lost badge to the security desk at once."),
    ("remote work", "Remote work is allowed on two days a week."),
    ("the health check", "The health check takes place every October."),
    ("a new laptop", "Laptops are replaced every four years."),
]
ENGLISH = [
    "What is the rule for {}?",
    "Tell me about {}.",
    "I am new here. How does {} work?",
    "Could you explain {} to me?",
    "Any advice on {}, please?",
    "My manager asked about {}. What do I say?",
    "In one sentence: {}?",
    "Who can help with {} and how?",
]


def rows() -> list[dict[str, str]]:
    """Return the rows, facts in turn, so that neighbours never share an answer."""
    made = [(form.format(fact), answer) for form in KOREAN for fact, answer in FACTS]
    made += [(form.format(fact), answer) for form in ENGLISH for fact, answer in ENGLISH_FACTS]
    return [{"instruction": question, "input": "", "output": answer} for question, answer in made]


def main() -> None:
    folder = Path(__file__).parent / "company_qa"
    folder.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows())
    (folder / "company_qa.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    info = {"company_qa": {"file_name": "company_qa.json", "columns": {"prompt": "instruction", "query": "input", "response": "output"}}}
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
