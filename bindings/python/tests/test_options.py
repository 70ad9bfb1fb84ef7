"""The tables of options in the header, in Python and in the library are the same."""
import re

import numpy as np
import pytest

import header
import libbackprop as bp
import option_table

NETWORK_OPTIONS = [option for option in bp.options() if option.owner == "network"]


def value_of(option, number):
    """The result of get_option for an option that was set to a number."""
    return option.choices[int(number)] if option.choices else number


def test_header_has_the_option_tables_of_the_library():
    assert option_table.update(header.TEXT) == header.TEXT, "run option_table.py to update the header"


def test_header_has_no_other_options():
    printed = re.findall(r"^ \*     (\w+) +(?:-?[\d.e-]+)(?:,| \.\.\.) [\d.e-]+ ", header.TEXT, flags=re.M)
    assert printed == [option.name for option in bp.options()]


def test_every_option_has_a_complete_description():
    assert len(NETWORK_OPTIONS) >= 5
    for option in bp.options():
        assert re.fullmatch("[a-z][a-z0-9_]*", option.name) and option.owner in ("network", "trainer")
        assert option.meaning and option.meaning.isascii() and "\n" not in option.meaning
        assert option.minimum <= option.default <= option.maximum
        if option.whole:
            assert all(value == int(value) for value in (option.default, option.minimum, option.maximum))


@pytest.mark.parametrize("option", NETWORK_OPTIONS, ids=lambda option: option.name)
def test_network_starts_with_the_default_and_accepts_the_bounds(option):
    network = bp.Network([2, 3, 1])
    assert network.get_option(option.name) == value_of(option, option.default)
    for value in (option.minimum, option.maximum):
        network.set_option(option.name, value)
        assert network.get_option(option.name) == value_of(option, value)


@pytest.mark.parametrize("option", NETWORK_OPTIONS, ids=lambda option: option.name)
def test_network_refuses_values_out_of_bounds_and_the_message_gives_the_bounds(option):
    network = bp.Network([2, 3, 1])
    kind = "an integer" if option.whole else "a number"
    bad = [option.minimum - 1, option.maximum * 1.5 + 1, float("nan"), float("inf"), float("-inf")]
    for value in bad + [option.minimum + 0.5] * option.whole:
        with pytest.raises(bp.InvalidValueError) as caught:
            network.set_option(option.name, value)
        if option.choices:
            words = [f"{index} ({word})" for index, word in enumerate(option.choices)]
            values = ", ".join(words[:-1]) + " or " + words[-1]
            assert f'option "{option.name}" must be {values}, not ' in str(caught.value)
            continue
        said = re.search(rf'option "{option.name}" must be {kind} from (\S+) to (\S+), not ', str(caught.value))
        assert [float(bound) for bound in said.groups()] == [option.minimum, option.maximum]
        assert network.get_option(option.name) == value_of(option, option.default)


CHOICES = [option for option in bp.options() if option.choices]


def test_choices_have_one_word_for_each_number():
    assert {"gradient_reduction", "initialization", "schedule", "sampling", "keep", "on_divergence"} <= {
        option.name for option in CHOICES}
    for option in CHOICES:
        assert option.whole and (option.minimum, option.maximum) == (0, len(option.choices) - 1)
        assert len(set(option.choices)) == len(option.choices)
        assert all(re.fullmatch("[a-z_]+", word) for word in option.choices)


@pytest.mark.parametrize("option", CHOICES, ids=lambda option: option.name)
def test_choices_are_set_by_word_or_number_and_read_as_words(option):
    owner = bp.Network([2, 3, 1]) if option.owner == "network" else bp.Trainer()
    for number, word in enumerate(option.choices):
        owner.set_option(option.name, word)
        assert owner.get_option(option.name) == word
        owner.set_option(option.name, option.default)
        owner.set_option(option.name, number)
        assert owner.get_option(option.name) == word
    for bad in ("no_such_word", "", option.choices[0].upper(), "0"):
        with pytest.raises(ValueError, match=f"{option.name}: expected one of '{option.choices[0]}', .*got '{bad}'"):
            owner.set_option(option.name, bad)
        assert owner.get_option(option.name) == option.choices[-1]


def test_schedule_set_by_word_has_the_rates_of_its_formula(rng):
    x, y = rng.normal(size=(8, 2)), rng.random((8, 1))
    trainer = bp.Trainer(epochs=6, batch_size=0, learning_rate=0.1, schedule="cosine", minimum_rate=0.02)
    rates = [progress.learning_rate for progress in trainer.fit(bp.Network([2, 3, 1]), x, y).history]
    np.testing.assert_allclose(rates, 0.02 + 0.08 * (1 + np.cos(np.pi * np.arange(6) / 6)) / 2, rtol=1e-6)


def test_words_for_options_that_are_numbers_are_refused():
    for owner, name in ((bp.Network([2, 1]), "momentum"), (bp.Trainer(), "epochs")):
        with pytest.raises(TypeError, match=f"{name}: expected a number, got str"):
            owner.set_option(name, "many")
    with pytest.raises(bp.UnknownNameError, match="epoch"):
        bp.Trainer(epoch="many")


def test_type_hints_list_all_choices():
    from typing import get_args

    from libbackprop import network, trainer

    for owner, module in (("network", network), ("trainer", trainer)):
        assert list(get_args(module._Choice)) == [option.name for option in CHOICES if option.owner == owner]


def test_trainer_options_are_unknown_to_networks():
    for option in bp.options():
        if option.owner == "trainer":
            with pytest.raises(bp.UnknownNameError):
                bp.Network([2, 1]).set_option(option.name, option.default)
