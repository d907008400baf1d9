"""The secret that services show each other."""

import pytest
from pydantic import SecretStr

from services.shared.access import required_secret
from services.shared.errors import Unusable


def test_a_secret_of_plain_characters_is_taken_as_it_is():
    assert required_secret(SecretStr("a-long 4nd random:text")) == "a-long 4nd random:text"


@pytest.mark.parametrize("text", ["", "schlüssel", "two\nlines"])
def test_a_secret_that_no_header_can_show_is_refused_at_the_start(text):
    with pytest.raises(Unusable, match="TIDEMARK_SECRET"):
        required_secret(SecretStr(text))
