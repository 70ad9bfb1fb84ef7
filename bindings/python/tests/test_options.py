"""Options are one table, in the library: what the header prints, what Python lists and what a network takes agree."""
import re

import pytest

import header
import libbackprop as bp
import option_table

NETWORK_OPTIONS = [option for option in bp.options().values() if option.owner == "network"]


def test_header_prints_the_tables_of_the_library():
    assert option_table.update(header.TEXT) == header.TEXT, "option_table.py brings the header up to date"


def test_header_prints_no_other_options():
    printed = re.findall(r"^ \*     (\w+) +(?:-?[\d.e-]+)(?:,| \.\.\.) [\d.e-]+ ", header.TEXT, flags=re.M)
    assert printed == list(bp.options())


def test_options_are_described_in_full():
    assert len(NETWORK_OPTIONS) >= 5
    for option in bp.options().values():
        assert re.fullmatch("[a-z][a-z0-9_]*", option.name) and option.owner in ("network", "trainer")
        assert option.meaning and option.meaning.isascii() and "\n" not in option.meaning
        assert option.minimum <= option.default <= option.maximum
        if option.whole:
            assert all(value == int(value) for value in (option.default, option.minimum, option.maximum))


@pytest.mark.parametrize("option", NETWORK_OPTIONS, ids=lambda option: option.name)
def test_network_starts_at_the_default_and_takes_the_bounds(option):
    network = bp.Network([2, 3, 1])
    assert network.get_option(option.name) == option.default
    for value in (option.minimum, option.maximum):
        network.set_option(option.name, value)
        assert network.get_option(option.name) == value


@pytest.mark.parametrize("option", NETWORK_OPTIONS, ids=lambda option: option.name)
def test_network_refuses_what_is_out_of_bounds_and_gives_the_bounds(option):
    network = bp.Network([2, 3, 1])
    kind = "an integer" if option.whole else "a number"
    bad = [option.minimum - 1, option.maximum * 1.5 + 1, float("nan"), float("inf"), float("-inf")]
    for value in bad + [option.minimum + 0.5] * option.whole:
        with pytest.raises(bp.InvalidValueError) as caught:
            network.set_option(option.name, value)
        said = re.search(rf'option "{option.name}" takes {kind} from (\S+) to (\S+), not ', str(caught.value))
        assert [float(bound) for bound in said.groups()] == [option.minimum, option.maximum]
        assert network.get_option(option.name) == option.default


def test_trainer_options_are_unknown_to_networks():
    for option in bp.options().values():
        if option.owner == "trainer":
            with pytest.raises(bp.UnknownNameError):
                bp.Network([2, 1]).set_option(option.name, option.default)
