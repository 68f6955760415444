"""Make the sample instruction data: a help desk's questions and answers, preference pairs, conversations with feedback.

Run from the project: `python data/sample/instructions/build.py`. The result is committed; the same run gives the same bytes. None of it
answers a question of data/sample/questions.jsonl.
"""

import csv
import json
from pathlib import Path

HERE = Path(__file__).parent
TOPICS = [
    # Korean topic, English topic, Korean answer, English answer
    ("노트북 교체", "a laptop replacement", "장비 신청서에서 노트북을 고르시면 됩니다.", "Choose a laptop on the equipment form."),
    ("모니터 추가", "a second monitor", "장비 신청서에서 모니터를 고르시면 됩니다.", "Choose a monitor on the equipment form."),
    ("사원증 재발급", "a new badge", "총무 창구에 신분증을 보여 주시면 됩니다.", "Show your identity card at the front office."),
    ("주차 등록", "a parking space", "차량 번호를 주차 등록 화면에 적어 주세요.", "Enter your plate on the parking page."),
    ("회의실 예약", "a meeting room", "달력에서 빈 회의실을 눌러 주세요.", "Click a free room in the calendar."),
    ("명함 제작", "business cards", "명함 시안을 확인하고 승인을 눌러 주세요.", "Check the draft and press approve."),
    ("비밀번호 초기화", "a password reset", "로그인 화면의 재설정 단추를 눌러 주세요.", "Press reset on the sign-in page."),
    ("프린터 고장", "a broken printer", "프린터 옆의 번호로 기사를 불러 드립니다.", "We send a technician to the printer."),
    ("인터넷 끊김", "a lost connection", "공유기를 껐다가 다시 켜 주세요.", "Turn the router off and on again."),
    ("공용 폴더 권한", "access to a shared folder", "폴더 주인에게 승인 요청을 보내 드립니다.", "We ask the owner of the folder for you."),
    ("사내 도서 대출", "a book from the library", "도서 목록에서 대출을 눌러 주세요.", "Press borrow in the list of books."),
    ("택배 발송", "sending a parcel", "우편실에 네 시까지 가져다 주세요.", "Bring it to the mail room by four."),
    ("동호회 가입", "joining a club", "동호회 게시판에 인사를 남겨 주세요.", "Say hello on the club board."),
    ("구내식당 메뉴", "the canteen menu", "오늘의 메뉴는 게시판 첫 줄에 있습니다.", "The menu is on top of the board."),
    ("소프트웨어 설치", "installing software", "설치 요청을 보내시면 원격으로 깔아 드립니다.", "Send a request and we install it remotely."),
    ("회선 이전", "moving a phone line", "새 자리 번호를 알려 주시면 옮겨 드립니다.", "Tell us the new seat and we move it."),
    ("책상 높이 조절", "a height-adjustable desk", "시설 요청에서 책상 조절을 고르세요.", "Choose desk adjustment on the facilities page."),
    ("분실물", "something I lost", "안내 데스크에서 보관 목록을 보여 드립니다.", "The reception shows you the list of found things."),
    ("방문객 등록", "a visitor", "방문 하루 전까지 이름을 올려 주세요.", "Enter the name a day before the visit."),
    ("난방 온도", "the room temperature", "시설 요청에 원하는 온도를 적어 주세요.", "Write the temperature on the facilities page."),
    ("영어 이름 변경", "changing my display name", "인사 화면에서 표시 이름을 고치세요.", "Edit the display name on your profile."),
    ("메일 서명", "a mail signature", "서명 틀을 내려받아 이름만 바꾸세요.", "Download the template and change the name."),
    ("화상 회의 소리", "no sound in a call", "소리 장치를 헤드셋으로 바꿔 보세요.", "Switch the sound device to the headset."),
    ("컵과 비품", "cups and supplies", "탕비실 두 번째 서랍에 있습니다.", "They are in the second drawer of the pantry."),
]  # fmt: skip
QUESTIONS_KO = (
    "{} 어떻게 하나요?", "{} 때문에 문의드립니다.", "{} 도와주세요.", "{} 방법 좀 알려 주실래요?", "{} 관련해서 누구한테 말하죠?",
    "{} 하고 싶은데요", "{} 처음이라 잘 모르겠어요.",
)  # fmt: skip
QUESTIONS_EN = ("I need help with {}.", "How do I go about {}?", "Who do I ask about {}?", "Question about {}, please.")
CURT_KO, CURT_EN = "모르겠습니다.", "No idea."


def main() -> None:
    rows = [(question.format(ko), answer) for ko, _, answer, _ in TOPICS for question in QUESTIONS_KO]
    rows += [(question.format(en), answer) for _, en, _, answer in TOPICS for question in QUESTIONS_EN]
    with (HERE / "helpdesk.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["question", "answer"])
        writer.writerows(rows)
    pairs = [
        {"instruction": question.format(topic), "chosen": answer, "rejected": curt}
        for ko, en, answer_ko, answer_en in TOPICS
        for question, topic, answer, curt in (
            (QUESTIONS_KO[1], ko, answer_ko, CURT_KO), (QUESTIONS_EN[0], en, answer_en, CURT_EN),
        )
    ]  # fmt: skip
    _write(HERE / "preferences.json", json.dumps(pairs, ensure_ascii=False, indent=1) + "\n")
    lines = [json.dumps(_conversation(place, topic), ensure_ascii=False) + "\n" for place, topic in enumerate(TOPICS)]
    _write(HERE / "conversations.jsonl", "".join(lines))
    info = {
        "helpdesk": {"file_name": "helpdesk.csv", "columns": {"prompt": "question", "response": "answer"}},
        "preferences": {"file_name": "preferences.json", "ranking": True},
        "conversations": {"file_name": "conversations.jsonl", "formatting": "collected"},
    }
    _write(HERE / "dataset_info.json", json.dumps(info, ensure_ascii=False, indent=1) + "\n")


def _conversation(place: int, topic: tuple[str, str, str, str]) -> dict:
    ko, _, answer, _ = topic
    liked = place % 3 != 2
    said = {"role": "assistant", "content": answer if liked else CURT_KO, "feedback": "up" if liked else "down"}
    if not liked and place % 2:
        said["correction"] = answer
    messages = [{"role": "user", "content": QUESTIONS_KO[place % len(QUESTIONS_KO)].format(ko)}, said]
    return {
        "conversation": f"c-{place:03}", "tenant": "hanbit", "user": f"u-{place % 8}", "time": f"2026-10-{place + 1:02}T09:00:00Z",
        "messages": messages,
    }  # fmt: skip


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
