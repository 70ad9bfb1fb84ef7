//! Trains, runs, saves and loads multilayer perceptrons: safe Rust for libbackprop.
//!
//! ```no_run
//! # fn main() -> backprop::Result<()> {
//! let (inputs, targets) = ([0., 0., 0., 1., 1., 0., 1., 1.], [0., 1., 1., 0.]);
//! let mut network = backprop::Network::new(&[2, 4, 1], 1)?;
//! for _ in 0..2000 {
//!     network.train(&inputs, &targets, 0.5)?;
//! }
//! network.save("xor.safetensors")?;
//! # Ok(()) }
//! ```
//!
//! `backprop.h` is the manual: each function here is one of its functions. Slices of rows are row by row. Functions whose names end
//! in `_rows` take a [`Matrix`] of numbers of any type and layout. `examples/sine.rs` fits from a stream, and an ensemble.
//!
//! **Errors.** A call that fails returns [`Error`] and changes nothing.
//!
//! **Panics.** No panic passes through the library. A panic of a closure is caught there, the call fails, and the panic continues
//! when the call has returned. The network is then as before the call.
//!
//! **Threads.** Objects are `Send`, because the library accepts calls from any thread. They are `Sync`, because the calls of
//! `&self` are those that the header declares const, which run at the same time. Activations are `Send + Sync`, because calls
//! on several threads may run them at the same time.
mod activation;
#[rustfmt::skip]
mod c;
mod call;
mod library;
mod loss;
mod matrix;
mod network;
mod parameters;
mod plugin;
mod prediction;
mod predictor;
mod settings;
mod trainer;
mod training;
mod workers;

pub use activation::{activation_kind, check_activation, ActivationKind, ActivationReport};
pub use activation::{register_activation, register_activation_without_derivative, register_library_activation};
pub use activation::{register_vector_activation, set_thread_safe, unregister_activation};
pub use c::{choice, status};
pub use call::{CallbackResult, Error, Result};
pub use library::{activation_names, loss_names, optimizer_names, scaling_names, score_names};
pub use library::{instruction_set, options, set_thread_count, thread_count, version, OptionDescription, OptionOwner};
pub use loss::{check_loss, register_loss, unregister_loss};
pub use matrix::{Half, Layout, Matrix, Number, Output};
pub use network::Network;
pub use plugin::load_plugin;
pub use predictor::Predictor;
pub use trainer::{Canceller, End, FitResult, Flow, Matrices, Minibatch, Progress, Rows, Trainer};
pub use training::Gradients;
pub use workers::{Reduce, Values};
