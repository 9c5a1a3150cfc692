"""What Schemathesis has to know about this API: its formats, and what it must leave alone."""

import schemathesis
from hypothesis import strategies as st

WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)

# Whoever calls would take away its own right to call: what is meant instead is there as well.
SPARED = {
    "dev-admin-client": "dev-consumer-key-client",
    "310000108": "310000116",
    "portvakt:admin": "dev:greetings.read",
}


def with_check_digit(digits):
    """The organization number that begins with these eight digits, or None when there is none."""
    rest = (11 - sum(a * b for a, b in zip(digits, WEIGHTS)) % 11) % 11
    return None if rest == 10 else "".join(map(str, digits)) + str(rest)


numbers = st.lists(st.integers(0, 9), min_size=8, max_size=8).map(with_check_digit).filter(bool)
schemathesis.openapi.format(
    "organization-number", st.sampled_from(["310000108", "310000116", "310000124"]) | numbers
)


@schemathesis.hook
def map_case(context, case):
    """Has somebody else be meant where the run would end itself."""
    if case.method.upper() != "GET":
        for part in (case.path_parameters, case.query):
            for name, value in (part or {}).items():
                if isinstance(value, str) and value in SPARED:
                    part[name] = SPARED[value]
    return case
