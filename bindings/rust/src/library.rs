//! The library as a whole: its version, its threads, and what it has by name.
use crate::c;
use crate::call::{call, static_text, texts_of, Result};
use crate::status;
use std::mem::{size_of, zeroed};

/// The version of the library, such as `"0.2.0"`.
pub fn version() -> &'static str {
    static_text(unsafe { c::bp_version_string() })
}

/// The instruction set that the library uses: `"avx512"`, `"avx2"`, `"neon"` or `"baseline"`.
pub fn instruction_set() -> &'static str {
    static_text(unsafe { c::bp_instruction_set() })
}

/// The number of threads that one call may use. 0: the number of processors.
pub fn set_thread_count(count: usize) -> Result<()> {
    call(|| unsafe { c::bp_set_thread_count(count) }).map(drop)
}

pub fn thread_count() -> usize {
    unsafe { c::bp_thread_count() }
}

/// The names of all activations, built-in ones first.
pub fn activation_names() -> Result<Vec<String>> {
    texts_of(|index, buffer, capacity, needed| unsafe { c::bp_activation_name(index, buffer, capacity, needed) })
}

/// The names of all losses, built-in ones first.
pub fn loss_names() -> Result<Vec<String>> {
    texts_of(|index, buffer, capacity, needed| unsafe { c::bp_loss_name(index, buffer, capacity, needed) })
}

pub fn optimizer_names() -> Result<Vec<String>> {
    texts_of(|index, buffer, capacity, needed| unsafe { c::bp_optimizer_name(index, buffer, capacity, needed) })
}

/// The names of all scaling methods.
pub fn scaling_names() -> Result<Vec<String>> {
    texts_of(|index, buffer, capacity, needed| unsafe { c::bp_scaling_name(index, buffer, capacity, needed) })
}

/// The names of all measures.
pub fn score_names() -> Result<Vec<String>> {
    texts_of(|index, buffer, capacity, needed| unsafe { c::bp_score_name(index, buffer, capacity, needed) })
}

/// What has an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionOwner {
    Network,
    Trainer,
}

/// An option of a network or a trainer.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionDescription {
    pub owner: OptionOwner,
    pub name: &'static str,
    pub meaning: &'static str,
    pub default: f64,
    pub minimum: f64,
    pub maximum: f64,
    pub whole_numbers: bool,
    /// The words of the values 0, 1, 2 ...; empty for an option that is a number.
    pub choices: Vec<&'static str>,
}

/// All options, those of a network first.
pub fn options() -> Result<Vec<OptionDescription>> {
    let mut options = Vec::new();
    loop {
        let mut option: c::bp_option_description = unsafe { zeroed() };
        option.struct_size = size_of::<c::bp_option_description>() as u32;
        match call(|| unsafe { c::bp_option_info(options.len(), &mut option) }) {
            Err(error) if error.status == status::UNKNOWN_NAME => return Ok(options),
            described => described?,
        };
        let of_trainer = option.owner == c::BP_OPTION_OF_TRAINER as u32;
        let choices = if option.choices.is_null() { "" } else { static_text(option.choices) };
        options.push(OptionDescription {
            owner: if of_trainer { OptionOwner::Trainer } else { OptionOwner::Network },
            name: static_text(option.name),
            meaning: static_text(option.meaning),
            default: option.default_value,
            minimum: option.minimum,
            maximum: option.maximum,
            whole_numbers: option.whole_numbers != 0,
            choices: choices.split_whitespace().collect(),
        });
    }
}
