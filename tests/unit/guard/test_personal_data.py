"""Personal data with a syntax: what must be found, and what must be left alone."""

import re
import sys
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.guard.guard.birth import births
from services.guard.guard.contact import emails, phones
from services.guard.guard.found import Found, settled
from services.guard.guard.national_id import national_ids, social_security
from services.guard.guard.network import addresses
from services.guard.guard.payment import accounts, cards, valid_account


def found(find, text):
    return [text[each.start : each.end] for each in find(text)]


def calls_of(find, text):
    """How many functions are called to search `text`."""
    events = Counter()
    sys.setprofile(lambda _frame, event, _argument: events.update([event]))
    try:
        list(find(text))
    finally:
        sys.setprofile(None)
    return events["call"] + events["c_call"]


def luhn(digits):
    doubled = [2 * int(each) if place % 2 else int(each) for place, each in enumerate(reversed(digits))]
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to ann.o'hara+x@mail.example.co.uk.", ["ann.o'hara+x@mail.example.co.uk"]),
        ("<jörg@müller.de>, b@c.io", ["jörg@müller.de", "b@c.io"]),
        ("icon@2x.png, y = A@B.dot(C), postgres://app:pass@db.internal.example", []),
        ("mailto:ann@b.de https://b.de:ann@c.de", ["ann@b.de"]),
        ("@app.route, a@b, git@host.org:x.git, x@y.1, @", []),
    ],
)
def test_emails(text, expected):
    assert found(emails, text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "+49 30 901820",
        "+1 (212) 555-0199",
        "(212) 555-0199",
        "212-555-0199",
        "0044 20 7946 0958",
        "+919812345678",
        "212.555.0199 x12",
    ],
)
def test_a_telephone_number_is_found_without_a_cue(number):
    assert found(phones, f"It was {number}, I think") == [number]


@pytest.mark.parametrize("text", ["call 78 651 450", "78 651 450 (mobile)", "Tel.: 78 651 450", "teléfono 78 651 450"])
def test_a_short_number_beside_a_cue_is_a_telephone_number(text):
    assert found(phones, text) == ["78 651 450"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("my office: 555-1234", "555-1234"),
        ("she called from 78 651 450", "78 651 450"),
        ("text 2125550199", "2125550199"),
        ("reached at +12345678", "+12345678"),
        ("call 5551234", "5551234"),
        ("5551234 (mobile)", "5551234"),
        ("call me at 5551234", "5551234"),
        ("Mobile: 5551234", "5551234"),
        ("reach me at 5551234", "5551234"),
        ("phone 1967-1234", "1967-1234"),
    ],
)
def test_an_everyday_word_is_a_cue_for_what_is_written_as_a_telephone_number(text, number):
    assert found(phones, text) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "The band, called Genesis, was active 1967–1996.",
        "worked at the office 1994-2004",
        "worked at home (1994 - 2004)",
        "the phone of the years 1994/2004",
        "at home in the season 2004-05",
        "reached 1500000 users",
        "reached many (1500000) users",
        "1200000 calls",
        "a handy text of 1234567 words",
        "The mobile app has 1500000 users",
        "call center handled 250000 requests",
        "Put 150000 in cell B2",
        "time.sleep(100000)  # call later",
    ],
)
def test_years_and_amounts_near_an_everyday_word_are_no_telephone_numbers(text):
    assert found(phones, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-31",
        "on 31.01.2024",
        "3.14159265",
        "1990-2000",
        "10 000 000",
        "1700000000",
        "v1.2.3.4",
        "x = 12345678",
        "0x1234567",
    ],
)
def test_other_numbers_are_no_telephone_numbers(text):
    assert found(phones, text) == []


@given(st.integers(0, 10**15 - 1), st.integers(1, 9))
def test_a_card_is_found_exactly_when_its_check_digit_is_right(body, off):
    body = f"{body:015d}"
    number = next(each for each in (f"4{body[1:]}{digit}" for digit in range(10)) if luhn(each))
    wrong = number[:-1] + str((int(number[-1]) + off) % 10)
    grouped = " ".join(re.findall("....", number))
    assert found(cards, f"card: {number}.") == [number]
    assert found(cards, f"card: {grouped} 12/29") == [grouped]
    assert found(cards, f"card: {wrong}") == []


@pytest.mark.parametrize("number", ["4 0 1 2 8 8 8 8 8 8 8 8 1 8 8 1", "40 12 88 88 88 88 18 81"])
def test_small_numbers_are_a_card_beside_a_word_that_says_so_alone(number):
    assert found(cards, f"The column: {number}") == []
    assert found(cards, f"My card: {number}") == [number]
    assert found(cards, "The column: 4012 8888 8888 1881") == ["4012 8888 8888 1881"]


@given(st.integers(0, 10**18 - 1), st.integers(1, 96))
def test_an_account_is_found_exactly_when_it_is_1_modulo_97(body, off):
    check = 98 - (int(f"{body:018d}131400")) % 97
    number, wrong = f"DE{check:02d}{body:018d}", f"DE{(check + off - 2) % 97 + 2:02d}{body:018d}"
    grouped = " ".join(number[place : place + 4] for place in range(0, len(number), 4))
    assert found(accounts, f"IBAN {number}, please") == [number]
    assert found(accounts, f"to {grouped.lower()} please") == [grouped.lower()]
    assert found(accounts, wrong) == []
    assert valid_account(number)


@pytest.mark.parametrize("before", ["AB12", "Room AB12 CD34", "GB82 WEST 1234 5698 7654 32", "de89370400440532013000"])
def test_an_account_is_found_behind_what_looks_like_the_head_of_one(before):
    number = "DE89 3704 0044 0532 0130 00"
    assert found(accounts, f"{before} {number}")[-1] == number


@pytest.mark.parametrize("unit", ["AB12 ", "AB12 1 2 3 4 5 6 7 8 9 0 ", "GB82 "])
def test_what_looks_like_accounts_takes_linear_work_and_one_length_a_head(unit):
    few, many = (calls_of(accounts, unit * count) for count in (200, 400))
    assert many <= 2.1 * few
    assert few <= 100 * 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SSN 536-22-1234", ["536-22-1234"]),
        ("social security number: 536221234", ["536221234"]),
        ("536221234 or 536 22 1234", []),
        ("000-12-3456 666-12-3456 536-00-1234 536-22-0000 2270-66-1551", []),
    ],
)
def test_social_security_numbers(text, expected):
    assert found(social_security, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "RSSMRA85T10A562S",
        "131052-308T",
        "111.444.777-35",
        "756.9217.0769.85",
        "my DNI is 12345678Z",
        "aadhaar: 2341 2341 2346",
    ],
)
def test_national_ids(text):
    assert len(found(national_ids, text)) == 1


@pytest.mark.parametrize(
    "text", ["RSSMRA85T10A562T", "131052-308U", "111.444.777-36", "my DNI is 12345678A", "2341 2341 2346"]
)
def test_a_wrong_check_digit_or_no_cue_is_no_national_id(text):
    assert found(national_ids, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 203.0.113.7:80 and 10.0.0.1", ["203.0.113.7", "10.0.0.1"]),
        (
            "2001:db8::8a2e:370:7334 [fe80::1] 2001:0db8:0000:0000:0000:8a2e:0370:7334",
            ["2001:db8::8a2e:370:7334", "fe80::1", "2001:0db8:0000:0000:0000:8a2e:0370:7334"],
        ),
        ("127.0.0.1 0.0.0.0 255.255.255.0 256.1.1.1 1.2.3 1.2.3.4.5 version 1.2.3.4 01.2.3.4", []),
        (
            "client_ip=203.0.113.7 server = 203.0.113.8:8080 <ip>203.0.113.9</ip> => 203.0.113.10 http://203.0.113.11/",
            ["203.0.113.7", "203.0.113.8", "203.0.113.9", "203.0.113.10", "203.0.113.11"],
        ),
        ("Chrome/120.0.0.0 Edg/120.0.2210.91 a==1.2.3.4 b>=1.2.3.4 c~=1.2.3.4 ^1.2.3.4 ~1.2.3.4 10.0.0.0", []),
        ("a[::2] x::y 12:34:56 std::abc 00:1B:44:11:3A:B7 ::", []),
    ],
)
def test_addresses_of_machines(text, expected):
    assert found(addresses, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("She was born on 2/7/1961.", ["2/7/1961"]),
        ("DOB: 1961-07-02; date of birth 2 July 1961", ["1961-07-02", "2 July 1961"]),
        ("geboren am 02.07.1961, née le 2 juillet 1961", ["02.07.1961", "2 juillet 1961"]),
        ("The order of 2/7/1961 arrived on July 2, 1961", []),
    ],
)
def test_dates_of_birth(text, expected):
    assert found(births, text) == expected


@pytest.mark.parametrize(
    ("find", "text", "value"),
    [
        (cards, "卡号是4111111111111111，", "4111111111111111"),
        (cards, "カード番号は4111 1111 1111 1111です", "4111 1111 1111 1111"),
        (national_ids, "身份证号是11010519491231002X。", "11010519491231002X"),
        (social_security, "我的SSN是536221234吗", "536221234"),
        (addresses, "服务器IP是203.0.113.77请检查", "203.0.113.77"),
        (addresses, "서버는 2001:db8::8a2e:370:7334입니다", "2001:db8::8a2e:370:7334"),
        (accounts, "IBANはDE89370400440532013000です", "DE89370400440532013000"),
        (births, "出生日期为1985-03-05", "1985-03-05"),
        (births, "他生于1985年3月5日在北京", "1985年3月5日"),
        (emails, "メールはtaro@example.jpです", "taro@example.jp"),
        (emails, "อีเมลคือsomchai@example.co.thครับ", "somchai@example.co.th"),
        (phones, "我的手机号是13812345678", "13812345678"),
        (phones, "電話番号は78 651 450です", "78 651 450"),
        (phones, "전화번호는 78 651 450입니다", "78 651 450"),
    ],
)
def test_a_value_is_found_where_a_script_writes_no_blanks(find, text, value):
    assert found(find, text) == [value]


def test_of_overlapping_spans_the_surer_kind_wins_then_the_longer():
    given_ = [
        Found(0, 4, "B", 1),
        Found(3, 9, "A", 1),
        Found(10, 12, "B", 1),
        Found(10, 14, "B", 1),
        Found(20, 22, "?", 1),
    ]
    assert [(each.start, each.kind) for each in settled(given_, ["A", "B"])] == [(3, "A"), (10, "B"), (20, "?")]
    assert settled(given_, ["A", "B"])[1].end == 14


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9), st.sampled_from("ABC")), max_size=20))
def test_settled_spans_are_sorted_and_disjoint(drawn):
    kept = settled([Found(start, start + length, kind, 1.0) for start, length, kind in drawn], "AB")
    assert all(one.end <= other.start for one, other in pairwise(kept))
    assert bool(kept) == bool(drawn)
