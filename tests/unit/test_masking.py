"""Personal data goes, everything else stays, and masking twice is masking once."""

import logging
import re
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from llmflow.ingestion.masking import MaskedText, Masker, MaskingSettings
from llmflow.ingestion.masking_names import is_name
from llmflow.ingestion.masking_recognizers import KINDS, luhn

MASKER = Masker(MaskingSettings())
RELAXED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("주민등록번호 900101-1234567", "주민등록번호 [RRN]"),
        ("impossible date 991399-1234567", "impossible date [RRN]"),
        ("주민번호: 9013991234567", "주민번호: [RRN]"),
        ("생년월일 900101-1******", "생년월일 [RRN]"),
        ("외국인등록번호 850101-5234567", "외국인등록번호 [FOREIGNER]"),
        ("전화 02-123-4567 (내선 4120)", "전화 [PHONE] (내선 4120)"),
        ("(02) 123-4567", "[PHONE]"),
        ("+82 10-1234-5678", "[PHONE]"),
        ("+1 650-253-0000", "[PHONE]"),
        ("01012345678로 연락", "[PHONE]로 연락"),
        ("M.010-9999-8888 / H.P010.9999.8888", "M.[PHONE] / H.P[PHONE]"),
        ("고객센터 1588-1234, 지점 02-123-4567", "고객센터 1588-1234, 지점 [PHONE]"),
        ("대표전화 0212345678", "대표전화 [PHONE]"),
        ("담당hong.kd@corp.local으로 보내세요", "담당[EMAIL]으로 보내세요"),
        ("카드번호 1234-5678-9012-3456", "카드번호 [CARD]"),
        ("4111 1111 1111 1111", "[CARD]"),
        ("4111111111111111", "[CARD]"),
        ("124-81-00998", "[BUSINESS]"),
        ("사업자등록번호 123-45-67890", "사업자등록번호 [BUSINESS]"),
        ("여권번호: M12345678", "여권번호: [PASSPORT]"),
        ("passport M123A4567", "passport [PASSPORT]"),
        ("면허 11-24-123456-78", "면허 [DRIVER]"),
        ("서울 12-345678-90", "[DRIVER]"),
        ("국민은행 123456-01-234567", "국민은행 [ACCOUNT]"),
        ("계좌번호: 3333-01-1234567", "계좌번호: [ACCOUNT]"),
        ("302-1234-5678-91 (농협)", "[ACCOUNT] (농협)"),
        ("GB82 WEST 1234 5698 7654 32", "[IBAN]"),
        ("성명: 홍길동", "성명: [NAME]"),
        ("성 명 : 홍 길 동", "성 명 : [NAME]"),
        ("성명 이상국", "성명 [NAME]"),
        ("| 성명 | 홍길동 |", "| 성명 | [NAME] |"),
        ("| 성명 | 부서 |\n|---|---|\n| 홍길동 | 인사팀 |", "| 성명 | 부서 |\n|---|---|\n| [NAME] | 인사팀 |"),
        ("담당자: 이동욱 대리 (내선 4120)", "담당자: [NAME] 대리 (내선 4120)"),
        ("담당자: 정보라\n담당부서: 정보팀", "담당자: [NAME]\n담당부서: 정보팀"),
        ("참석자: 홍길동, 김철수, 이영희", "참석자: [NAME], [NAME], [NAME]"),
        ("예금주: 남궁민", "예금주: [NAME]"),
        ("name: 홍길동", "name: [NAME]"),
        ('{"name": "김철수"}', '{"name": "[NAME]"}'),
        ("Name: John Smith", "Name: [NAME]"),
        ("name: Mario José Molina\nemail: a@b.co", "name: [NAME]\nemail: [EMAIL]"),
        ("Applicant: Jane Doe", "Applicant: [NAME]"),
        ("０１０－１２３４－５６７８", "[PHONE]"),
        ("010\u200b-1234-5678", "[PHONE]"),
        ("010-1234-\n5678", "[PHONE]"),
        ("<tr><td>담당자</td><td>홍길동</td></tr>", "<tr><td>담당자</td><td>[NAME]</td></tr>"),
        (
            "<table><tr><th>여권번호</th><th>성명</th></tr><tr><td>M12345678</td><td>홍길동</td></tr></table>",
            "<table><tr><th>여권번호</th><th>성명</th></tr><tr><td>[PASSPORT]</td><td>[NAME]</td></tr></table>",
        ),
    ],
)
def test_personal_data_is_masked(text: str, masked: str) -> None:
    assert MASKER.mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "금액은 1,200,000원, 입금일 2024-11-21 10:30:00",
        "은행 영업시간 09:00-16:00, 입금 마감 2024.11.21 16:00",
        "제3조 제2항 1.2.3.4, IP 192.168.10.15, v2.10.3-rc1",
        "담당자: 인사팀 (내선 4120)",
        "담당부서: 재무팀",
        "담당자: 기획실",
        "담당자: 사무국",
        "담당자: 총무과",
        "담당자: 정보보호본부",
        "담당자: 고객지원센터",
        "담당자: 연구소",
        "담당자: 전원",
        "담당자: 이용자",
        "책임자: 팀장",
        "성명: 없음",
        "대표자: 미정",
        "확인자: 서명",
        "성명 (한글) :",
        "| 담당자 | 부서 |\n| 인사팀 | 본사 |",
        "이름: 노트북",
        "이름: 정수기",
        "파일 이름: 보고서",
        "name: llmflow",
        "{ name: 'Greek Salad', id: 3 }",
        "Name: Product Catalog",
        "Name: Samsung Electronics",
        "주문번호 202411210001, 주문번호: 20241121-0001234",
        "1711231234567",
        "EAN 8801043012345",
        "고객센터 1588-1234",
        "제품번호 AB-1234-5678, M12345678 부품, 시리얼 1234567890",
        "ISBN 978-89-1234-567-8",
        "문서번호: 총무-2024-0123, 계약번호 2024-0001-1234",
        "좌표 37.566535, 126.977969",
        "https://a.b/c?id=1234567890123456",
        "성명: [NAME], [PASSPORT] M12345678",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert MASKER.mask(text) == MaskedText(text, {})


def test_counts_are_kept_by_kind() -> None:
    masked = MASKER.mask("성명: 홍길동, 010-1234-5678 또는 02-123-4567")
    assert dict(masked.counts) == {"NAME": 1, "PHONE": 2}


def test_the_more_specific_kind_names_an_overlap() -> None:
    # The number is an account's by its context and a resident's by its form.
    assert MASKER.mask("계좌 900101-1234567").text == "계좌 [RRN]"
    assert MASKER.mask("계좌 900101-1234567-89").text == "계좌 [RRN]"
    assert MASKER.mask("입금 문의 010-1234-5678").text == "입금 문의 [PHONE]"


def test_settings_choose_the_kinds() -> None:
    only_phone = Masker(MaskingSettings(kinds=("PHONE",)))
    assert only_phone.mask("성명: 홍길동 010-1234-5678 a@b.co").text == "성명: 홍길동 [PHONE] a@b.co"
    assert Masker(MaskingSettings(kinds=("IP",))).mask("IP 10.1.2.3, 300.1.1.1").text == "IP [IP], 300.1.1.1"
    assert Masker(MaskingSettings(enabled=False)).mask("010-1234-5678").text == "010-1234-5678"
    with pytest.raises(ValidationError):
        MaskingSettings.model_validate({"kinds": ["SHOE_SIZE"]})


@pytest.mark.parametrize(
    ("value", "strong", "expected"),
    [
        ("이동욱", True, True),
        ("김은실", True, True),
        ("이상국", False, True),
        ("기획실", True, False),
        ("재무팀", True, False),
        ("허준", True, True),
        ("허준", False, False),
        ("노트북", True, False),
        ("남궁민수", True, True),
        ("한국전력", True, False),
        ("Kim Minsu", True, True),
        ("Sales Team", True, False),
        ("John", True, False),
    ],
)
def test_a_name_is_told_from_a_team_or_a_thing(value: str, strong: bool, expected: bool) -> None:
    assert is_name(value, strong) is expected


def test_luhn_checks_a_card_by_hand() -> None:
    assert luhn("4111-1111-1111-1111")
    assert not luhn("4111-1111-1111-1112")


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        MASKER.mask("성명: 홍길동, 여권번호 M12345678, 900101-1234567, hong@corp.local, GB82 WEST 1234 5698 7654 33")
    assert not any(secret in caplog.text for secret in ("홍길동", "12345678", "900101", "corp", "WEST"))
    # Presidio quotes the text in some messages.
    assert not logging.getLogger("presidio-analyzer").isEnabledFor(logging.ERROR)


def test_presidio_is_loaded_late_and_without_torch() -> None:
    code = (
        "import sys\n"
        "from llmflow.ingestion.masking import Masker, MaskingSettings\n"
        "masker = Masker(MaskingSettings())\n"
        "masker.mask('아무 개인정보도 없는 문장입니다.')\n"
        "assert 'presidio_analyzer' not in sys.modules\n"
        "assert masker.mask('010-1234-5678').text == '[PHONE]'\n"
        "assert 'presidio_analyzer' in sys.modules and 'torch' not in sys.modules\n"
        "import torch, transformers\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


digits = st.text("0123456789", min_size=1)


def _digits(count: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=count, max_size=count)


secrets = st.one_of(
    st.builds("주민번호 {}-{}{}".format, _digits(6), st.sampled_from("12345678"), _digits(6)),
    st.builds("010-{}-{}".format, _digits(4), _digits(4)),
    st.builds("Tel) 0{}-{}-{}".format, st.sampled_from(["2", "31", "51", "64"]), _digits(3), _digits(4)),
    st.builds("국민은행 계좌 {}-{}-{}".format, _digits(6), _digits(2), _digits(6)),
    st.builds("카드 {}-{}-{}-{}".format, _digits(4), _digits(4), _digits(4), _digits(4)),
    st.builds("사업자등록번호 {}-{}-{}".format, _digits(3), _digits(2), _digits(5)),
    st.builds("여권번호 M{}".format, _digits(8)),
    st.builds("u{}@corp.local".format, _digits(3)),
)
prose = st.sampled_from(
    [
        "배포 절차를 확인합니다.",
        "담당부서: 재무팀",
        "The report is due.",
        "제목",
        "- 항목",
        "금액 산정 기준은 별표와 같다.",
        "\n\n",
        "Name",
        "성명",
        "|",
    ]
)


@RELAXED
@given(st.lists(st.one_of(prose, secrets), max_size=6))
def test_no_digit_of_a_secret_remains(parts: list[str]) -> None:
    masked = MASKER.mask(" ; ".join(parts))
    assert not re.search(r"\d", masked.text)
    assert set(masked.counts) <= set(KINDS)
    assert sum(masked.counts.values()) == sum(masked.text.count(f"[{kind}]") for kind in KINDS)


noise = st.text(
    st.sampled_from("0123456789-. ()+@|\n\t:：가나김이민수성명이름담당자팀MSabNamer,_*[]<>/td주민계좌은행여권"), max_size=60
)


@RELAXED
@given(st.lists(st.one_of(noise, secrets, prose), max_size=5).map("".join))
@example("Tel) 02-000-0000u000@corp.local0100000000")
def test_masking_twice_is_masking_once(text: str) -> None:
    once = MASKER.mask(text).text
    assert MASKER.mask(once) == MaskedText(once, {})


@RELAXED
@given(st.one_of(noise, st.lists(st.one_of(noise, secrets), max_size=3).map("".join), st.text(max_size=40)))
def test_the_quick_look_never_skips_what_the_full_search_finds(text: str) -> None:
    everything = Masker(MaskingSettings(kinds=KINDS))  # pyright: ignore[reportArgumentType]
    everything._engine = MASKER.load()
    if not everything.may_hold(text):
        assert everything.find(text) == []


@RELAXED
@given(st.lists(st.one_of(prose, noise.filter(lambda text: not re.search(r"[\d@가-힣Na]", text))), max_size=6))
def test_text_without_personal_data_is_unchanged(parts: list[str]) -> None:
    text = " ".join(parts)
    assert MASKER.mask(text).text == text


@settings(deadline=None, max_examples=40)
@given(st.lists(st.one_of(prose, secrets, noise), max_size=5))
def test_many_is_each(texts: list[str]) -> None:
    assert MASKER.mask_many(texts) == [MASKER.mask(text) for text in texts]
