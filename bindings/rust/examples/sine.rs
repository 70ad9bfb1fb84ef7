//! 50 networks learn a part of a noisy sine. They agree where there are data, and disagree elsewhere. The activation is custom,
//! and a stream makes the rows of a first network: `cargo run --example sine`
use backprop::{check_activation, register_activation, Flow, Minibatch, Network, Result, Trainer};

fn network(seed: u64) -> Result<Network> {
    let mut network = Network::new(&[1, 16, 1], seed)?;
    network.set_activation(1, "bump")?;
    network.set_activation(2, "identity")?;
    network.set_optimizer("adam")?;
    Ok(network)
}

fn main() -> Result<()> {
    register_activation("bump", |z| (-z * z).exp(), |z, a| -2.0 * z * a)?;
    assert!(check_activation("bump")?.worst_error < 1e-2);

    // Numbers from -3 to 3 (xorshift, Marsaglia 2003).
    let mut state = 1u32;
    let mut anywhere = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32) * 6.0 - 3.0
    };

    // One network learns from rows that are made as they are needed.
    let mut from_stream = network(1)?;
    let mut trainer = Trainer::new()?;
    trainer.set_option("steps", 4000.0)?;
    let next = |minibatch: &mut Minibatch| {
        while !minibatch.is_full() {
            let x = anywhere();
            minibatch.push(&[x], &[x.sin()]);
        }
        Flow::Continue
    };
    trainer.fit_stream(&mut from_stream, next, None)?;
    println!("from a stream: sin(1) = {:.1}", from_stream.predict(&[1.0])?[0]);

    // An ensemble learns from 64 rows.
    let inputs: Vec<f32> = (0..64).map(|_| anywhere()).collect();
    let targets: Vec<f32> = inputs.iter().map(|x| x.sin() + 0.02 * anywhere()).collect();
    let mut networks = (1..=50).map(network).collect::<Result<Vec<_>>>()?;
    trainer.fit_ensemble(&mut networks, None, (&inputs, &targets), None)?;
    for x in [1.0, 6.0] {
        let outputs = networks.iter().map(|each| Ok(each.predict(&[x])?[0])).collect::<Result<Vec<f32>>>()?;
        let mean = outputs.iter().sum::<f32>() / 50.0;
        let spread = (outputs.iter().map(|y| (y - mean).powi(2)).sum::<f32>() / 50.0).sqrt();
        println!("at {x} the networks {}", if spread < 0.1 { "agree" } else { "disagree" });
    }
    Ok(())
}
