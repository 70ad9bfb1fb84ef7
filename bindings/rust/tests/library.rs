//! Tests of the crate on the built library: `cargo test`, or Tests/Hosts/languages.sh.
use backprop::{
    choice, load_plugin, register_activation, register_loss, status, unregister_activation, unregister_loss, OptionOwner,
};
use backprop::{Canceller, Matrix, Network, Predictor, Trainer};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

const INPUTS: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const TARGETS: [f32; 4] = [0.0, 1.0, 1.0, 0.0];

fn sign(z: f32, _a: f32) -> f32 {
    if z < 0.0 {
        -1.0
    } else {
        1.0
    }
}

fn trained(steps: usize) -> Network {
    let mut network = Network::new(&[2, 4, 1], 1).unwrap();
    for _ in 0..steps {
        network.train(&INPUTS, &TARGETS, 0.5).unwrap();
    }
    network
}

/// The text of the panic.
fn panic_of(function: impl FnOnce()) -> Option<&'static str> {
    catch_unwind(AssertUnwindSafe(function)).err().and_then(|panic| panic.downcast_ref::<&'static str>().copied())
}

#[test]
fn objects_can_be_sent_to_and_shared_by_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Network>();
    is_send_and_sync::<Trainer>();
    is_send_and_sync::<Predictor>();
    is_send_and_sync::<Canceller>();
    is_send_and_sync::<Matrix>();
}

#[test]
fn errors_have_the_status_and_the_message_of_the_library() {
    let mut network = trained(0);
    let error = network.set_activation(1, "no such").unwrap_err();
    assert!(error.status == status::UNKNOWN_NAME && error.message.contains("no such"), "{error:?}");
    let missing = Network::load("none.safetensors").unwrap_err();
    assert_eq!((missing.status, missing.status_name()), (status::IO, "BP_ERROR_IO"));
    assert_eq!(Network::new(&[], 1).unwrap_err().status, status::INVALID_VALUE);
    assert_eq!(network.set_loss("a\0b").unwrap_err().status, status::INVALID_VALUE);
}

#[test]
fn wrong_sizes_are_refused() {
    let mut network = trained(0);
    assert_eq!(network.predict(&[0.0, 0.0, 1.0]).unwrap_err().message, "3 numbers are not rows of 2");
    assert_eq!(network.train(&INPUTS, &TARGETS[..3], 0.5).unwrap_err().status, status::MISMATCH);
    assert_eq!(network.evaluate(&INPUTS, &[]).unwrap_err().status, status::MISMATCH);
    assert_eq!(network.set_parameters(&[1.0]).unwrap_err().status, status::MISMATCH);
    assert_eq!(Trainer::new().unwrap().fit(&mut network, (&INPUTS, &TARGETS[..3]), None).unwrap_err().status, status::MISMATCH);
    let predictor = Predictor::new(&network).unwrap();
    assert_eq!(predictor.run(&INPUTS, &mut [0.0; 3]).unwrap_err().status, status::MISMATCH);
}

#[test]
fn a_panic_of_an_activation_continues_after_the_call_and_changes_nothing() {
    register_activation("panics", |_| panic!("no value"), sign).unwrap();
    register_activation("panics_backward", |z| z.abs(), |_, _| panic!("no derivative")).unwrap();
    for (name, text) in [("panics", "no value"), ("panics_backward", "no derivative")] {
        let mut network = trained(10);
        network.set_activation(1, name).unwrap();
        let parameters = network.parameters().unwrap();
        assert_eq!(panic_of(|| drop(network.train(&INPUTS, &TARGETS, 0.5))), Some(text));
        assert_eq!(network.parameters().unwrap(), parameters);
        network.set_activation(1, "tanh").unwrap();
        network.train(&INPUTS, &TARGETS, 0.5).unwrap();
        assert_ne!(network.parameters().unwrap(), parameters);
    }
}

#[test]
fn a_callback_may_use_the_library_and_fail_there() {
    register_activation("inner", |_| panic!("inner"), sign).unwrap();
    let mut inner = trained(1);
    inner.set_activation(1, "inner").unwrap();
    let derivative = move |_, _| {
        assert_eq!(panic_of(|| drop(inner.predict(&INPUTS))), Some("inner"));
        panic!("outer")
    };
    register_activation("outer", |z| z, derivative).unwrap();
    let mut network = trained(1);
    network.set_activation(1, "outer").unwrap();
    assert_eq!(panic_of(|| drop(network.train(&INPUTS, &TARGETS, 0.5))), Some("outer"));
}

#[test]
fn an_activation_lives_as_long_as_it_is_used() {
    let state = Arc::new(());
    let kept = state.clone();
    register_activation(
        "kept",
        move |z| {
            let _ = &kept;
            z
        },
        sign,
    )
    .unwrap();
    let refused = state.clone();
    assert!(register_activation(
        "kept",
        move |z| {
            let _ = &refused;
            z
        },
        sign
    )
    .is_err());
    assert_eq!(Arc::strong_count(&state), 2);
    let mut network = trained(0);
    network.set_activation(1, "kept").unwrap();
    unregister_activation("kept").unwrap();
    assert_eq!(Arc::strong_count(&state), 2);
    drop(network);
    assert_eq!(Arc::strong_count(&state), 1);
}

#[test]
fn a_network_with_all_kinds_of_settings_learns_the_species_of_irises() {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for line in include_str!("../../../Examples/data/iris.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        inputs.extend(fields[..4].iter().map(|field| field.parse::<f32>().unwrap()));
        targets.extend(["setosa", "versicolor", "virginica"].map(|species| if fields[4] == species { 1.0 } else { 0.0 }));
    }
    let mut network = Network::new(&[4, 16, 3], 1).unwrap();
    network.set_activation(1, "tanh").unwrap();
    network.set_activation(2, "softmax").unwrap();
    network.set_batchnorm(1, true).unwrap();
    network.set_dropout(1, 0.1).unwrap();
    network.set_loss("cross_entropy").unwrap();
    network.set_optimizer("adam").unwrap();
    network.set_option("gradient_reduction", 1.0).unwrap();
    assert_eq!(network.option("gradient_reduction").unwrap(), 1.0);
    network.fit_scaling("standard", "none", &inputs, &[]).unwrap();
    let before = network.evaluate(&inputs, &targets).unwrap();
    let mut trainer = Trainer::new().unwrap();
    for (option, value) in [("epochs", 60.0), ("batch_size", 16.0), ("learning_rate", 0.01)] {
        trainer.set_option(option, value).unwrap();
    }
    trainer.fit(&mut network, (&inputs, &targets), None).unwrap();
    assert!(network.score("accuracy", &inputs, &targets).unwrap() > 0.94);
    assert!(network.evaluate(&inputs, &targets).unwrap() < before / 4.0);
}

#[test]
fn bytes_and_copies_keep_the_network() {
    let mut network = trained(10);
    let (bytes, outputs) = (network.to_bytes().unwrap(), network.predict(&INPUTS).unwrap());
    assert_eq!(Network::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
    assert_eq!(Network::from_bytes(&bytes[1..]).unwrap_err().status, status::NOT_A_MODEL);
    let copy = network.try_clone().unwrap();
    network.train(&INPUTS, &TARGETS, 0.5).unwrap();
    assert_eq!(copy.predict(&INPUTS).unwrap(), outputs);
    assert_ne!(network.predict(&INPUTS).unwrap(), outputs);
}

#[test]
fn exported_files_and_metadata_have_their_texts() {
    let folder = std::env::temp_dir().join(format!("backprop-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let mut network = trained(10);
    network.set_metadata("source", "café").unwrap();
    network.set_metadata("empty", "").unwrap();
    assert_eq!((network.metadata("source").unwrap(), network.metadata("empty").unwrap()), ("café".into(), String::new()));
    assert_eq!(network.metadata("none").unwrap_err().status, status::UNKNOWN_NAME);
    network.export_c(folder.join("xor.c"), "xor2", 32, true).unwrap();
    network.export_swift(folder.join("Xor.swift"), "Xor", 8, false).unwrap();
    assert!(std::fs::read_to_string(folder.join("xor.c")).unwrap().contains("void xor2_predict("));
    assert!(std::fs::read_to_string(folder.join("Xor.swift")).unwrap().contains("enum Xor {"));
    assert_eq!(network.export_c(folder.join("xor.c"), "2", 32, false).unwrap_err().status, status::INVALID_VALUE);
    network.save(folder.join("xor.safetensors")).unwrap();
    let mut other = Network::new(&[2, 4, 1], 9).unwrap();
    other.load_weights(folder.join("xor.safetensors")).unwrap();
    assert_eq!(other.parameters().unwrap(), network.parameters().unwrap());
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_gradient_and_its_step_are_a_training_step() {
    let (mut network, mut other) = (trained(10), trained(10));
    let (gradient, loss) = other.gradient(&INPUTS, &TARGETS).unwrap();
    other.apply_gradient(&gradient, 0.5).unwrap();
    assert!((network.train(&INPUTS, &TARGETS, 0.5).unwrap() - loss).abs() < 1e-6);
    for (a, b) in network.parameters().unwrap().iter().zip(other.parameters().unwrap()) {
        assert!((a - b).abs() < 1e-6);
    }
    assert_eq!(other.gradient(&INPUTS, &[]).unwrap_err().status, status::MISMATCH);
}

/// Half of the squared error, as the library's own.
fn squared(outputs: &[f32], targets: &[f32], gradient: &mut [f32]) -> f64 {
    let differences = outputs.iter().zip(targets).map(|(y, t)| y - t);
    for (slope, difference) in gradient.iter_mut().zip(differences.clone()) {
        *slope = difference;
    }
    differences.map(|difference| 0.5 * f64::from(difference * difference)).sum()
}

#[test]
fn a_loss_of_rows_trains_as_the_built_in_one() {
    let (mut network, mut other) = (trained(0), trained(0));
    register_loss("squared", 0, squared).unwrap();
    other.set_loss("squared").unwrap();
    for _ in 0..20 {
        let expected = network.train(&INPUTS, &TARGETS, 0.5).unwrap();
        assert!((other.train(&INPUTS, &TARGETS, 0.5).unwrap() - expected).abs() < 1e-5);
    }
    assert_eq!(register_loss("squared", 0, squared).unwrap_err().status, status::INVALID_VALUE);
    unregister_loss("squared").unwrap();
    assert_eq!(load_plugin("./none.so").unwrap_err().status, status::LIBRARY);
}

#[test]
fn a_panic_of_a_loss_continues_after_the_call_and_changes_nothing() {
    register_loss("panics", 0, |_, _, _| panic!("no loss")).unwrap();
    let mut network = trained(10);
    network.set_loss("panics").unwrap();
    let parameters = network.parameters().unwrap();
    assert_eq!(panic_of(|| drop(network.train(&INPUTS, &TARGETS, 0.5))), Some("no loss"));
    assert_eq!(network.parameters().unwrap(), parameters);
}

#[test]
fn threads_run_a_predictor_while_it_is_updated() {
    let mut network = trained(10);
    let predictor = Predictor::new(&network).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    predictor.run(&INPUTS, &mut [0.0; 4]).unwrap();
                }
            });
        }
        for _ in 0..100 {
            network.train(&INPUTS, &TARGETS, 0.5).unwrap();
            predictor.update(&network).unwrap();
        }
    });
    let mut outputs = [0.0; 4];
    predictor.run(&INPUTS, &mut outputs).unwrap();
    assert_eq!(outputs.to_vec(), network.predict(&INPUTS).unwrap());
}

#[test]
fn the_library_lists_what_it_has() {
    assert!(backprop::version().starts_with("0.2."));
    assert!(["avx512", "avx2", "neon", "baseline"].contains(&backprop::instruction_set()));
    let has = |names: backprop::Result<Vec<String>>, name: &str| names.unwrap().iter().any(|each| each == name);
    assert!(has(backprop::activation_names(), "softmax") && has(backprop::loss_names(), "poisson"));
    assert!(has(backprop::optimizer_names(), "lbfgs") && has(backprop::scaling_names(), "min_max"));
    assert!(has(backprop::score_names(), "r2"));
    let options = backprop::options().unwrap();
    let keep = options.iter().find(|option| option.name == "keep").unwrap();
    assert_eq!((keep.owner, keep.default, keep.maximum), (OptionOwner::Trainer, 0.0, 2.0));
    assert!(keep.whole_numbers && keep.choices[choice::KEEP_BEST as usize] == "best");
    backprop::set_thread_count(2).unwrap();
    assert_eq!(backprop::thread_count(), 2);
    backprop::set_thread_count(0).unwrap();
    assert_eq!(backprop::set_thread_count(257).unwrap_err().status, status::INVALID_VALUE);
}

#[test]
fn settings_are_as_they_were_set() {
    let mut network = Network::new(&[2, 5, 4, 1], 1).unwrap();
    network.set_activation(2, "tanh").unwrap();
    network.set_batchnorm(1, true).unwrap();
    network.set_dropout(2, 0.25).unwrap();
    network.set_trainable(1, false).unwrap();
    network.set_loss("huber").unwrap();
    network.set_optimizer("bayesian_regularization").unwrap();
    assert_eq!((network.layers().unwrap(), network.layer_size(1).unwrap(), network.steps().unwrap()), (4, 5, 0));
    assert_eq!((network.activation(2).unwrap(), network.activation(1).unwrap()), ("tanh".into(), "logistic".into()));
    assert_eq!((network.batchnorm(1).unwrap(), network.batchnorm(2).unwrap()), (true, false));
    assert_eq!((network.trainable(1).unwrap(), network.trainable(2).unwrap()), (false, true));
    assert_eq!((network.dropout(2).unwrap(), network.loss().unwrap()), (0.25, "huber".into()));
    assert_eq!(network.optimizer().unwrap(), "bayesian_regularization");
    assert_eq!(network.effective_parameters().unwrap(), 0.0);
    assert_eq!(network.check_settings(&[]).unwrap_err().status, status::UNSUPPORTED); // dropout
    network.set_metadata("b", "2").unwrap();
    network.set_metadata("a", "1").unwrap();
    assert_eq!(network.metadata_keys().unwrap(), ["a", "b"]);
    network.remove_metadata("a").unwrap();
    assert_eq!(network.metadata_keys().unwrap(), ["b"]);
    network.replace_output(3, 1).unwrap();
    assert_eq!((network.outputs().unwrap(), network.target_columns().unwrap()), (3, 3));
    network.fold_batchnorm().unwrap();
    assert!(!network.batchnorm(1).unwrap());
    let weights = network.parameters().unwrap();
    network.set_trainable(1, true).unwrap();
    network.initialize(2).unwrap();
    assert_ne!(network.parameters().unwrap(), weights);
    assert_eq!(network.activation(9).unwrap_err().status, status::INVALID_VALUE);
}
