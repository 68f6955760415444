"""The routes of documents, operation and administration keep what /openapi.json says of them, whatever is sent."""

import pytest
from house import ADMIN, ENGINEER, WHO
from hypothesis import HealthCheck, Phase, given, settings

pytestmark = pytest.mark.xdist_group("operating")  # one house for all
EXAMPLES = 10


@pytest.mark.parametrize("who", [ADMIN, ENGINEER])
def test_the_routes_keep_their_description(house, who):
    import schemathesis

    schema = schemathesis.openapi.from_asgi("/openapi.json", house.app)
    schemathesis.checks.load_all_checks()
    # who asks is the test's header; which groups and days there are no schema can say
    left_out = [schemathesis.checks.CHECKS.get_one(name) for name in ("ignored_auth", "positive_data_acceptance")]
    looked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        looked += 1

        @settings(
            max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def check(case):
            response = case.call(headers={WHO: who}, timeout=120)
            assert response.status_code < 500, response.text
            case.validate_response(response, excluded_checks=left_out)

        check()
    assert looked >= 20
