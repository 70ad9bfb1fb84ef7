//! A network learns exclusive or with a custom activation, the absolute value: `cargo run --example xor`
use backprop::{register_activation, Network, Result};
use std::panic::{catch_unwind, AssertUnwindSafe};

fn main() -> Result<()> {
    let (inputs, targets) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 0.0]);
    register_activation("absolute", |z| z.abs(), |z, _a| if z < 0.0 { -1.0 } else { 1.0 })?;

    let mut network = Network::new(&[2, 4, 1], 1)?;
    network.set_activation(1, "absolute")?;
    for _ in 0..2000 {
        network.train(&inputs, &targets, 0.5)?;
    }
    let outputs = network.predict(&inputs)?;
    for (row, output) in inputs.chunks(2).zip(&outputs) {
        println!("{} xor {} = {:.2}", row[0], row[1], output);
    }

    // A panic of an activation continues here. The network is as before.
    register_activation("broken", |z| z.abs(), |_z, _a| panic!("no derivative"))?;
    network.set_activation(1, "broken")?;
    let panic = catch_unwind(AssertUnwindSafe(|| network.train(&inputs, &targets, 0.5))).unwrap_err();
    println!("a failing callback: {}", panic.downcast_ref::<&str>().unwrap_or(&""));
    network.set_activation(1, "absolute")?;

    if let Err(error) = network.predict(&[0.0, 0.0, 1.0]) {
        println!("a wrong size: {error}");
    }
    if let Err(error) = Network::load("none.safetensors") {
        println!("a missing file: {error}");
    }

    network.save("xor.safetensors")?;
    let same = Network::load("xor.safetensors")?.predict(&inputs)? == outputs;
    println!("saved and loaded, it predicts the same: {}", if same { "yes" } else { "no" });
    Ok(())
}
