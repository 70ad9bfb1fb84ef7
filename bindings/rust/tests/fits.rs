//! Tests of fits: rows, streams and ensembles.
use backprop::{choice, status, End, FitResult, Flow, Layout, Matrix, Minibatch, Network, Progress, Trainer};
use std::panic::{catch_unwind, AssertUnwindSafe};

const INPUTS: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const TARGETS: [f32; 4] = [0.0, 1.0, 1.0, 0.0];

fn network(seed: u64) -> Network {
    let mut network = Network::new(&[2, 4, 1], seed).unwrap();
    network.set_activation(1, "tanh").unwrap();
    network
}

fn trainer<'p>(options: &[(&str, f64)]) -> Trainer<'p> {
    let mut trainer = Trainer::new().unwrap();
    for (name, value) in options {
        trainer.set_option(name, *value).unwrap();
        assert_eq!(trainer.option(name).unwrap(), *value);
    }
    trainer
}

/// The text of the panic.
fn panic_of(function: impl FnOnce()) -> Option<&'static str> {
    catch_unwind(AssertUnwindSafe(function)).err().and_then(|panic| panic.downcast_ref::<&'static str>().copied())
}

/// The rows, two at a time.
fn next(minibatch: &mut Minibatch) -> Flow {
    let first = minibatch.first_row as usize;
    for row in first..(first + minibatch.capacity()).min(4) {
        minibatch.push(&INPUTS[2 * row..2 * row + 2], &TARGETS[row..row + 1]);
    }
    Flow::Continue
}

#[test]
fn a_fit_reports_and_stops() {
    let mut reports = 0;
    let mut network = network(1);
    let mut trainer = trainer(&[("epochs", 50.0), ("keep", choice::KEEP_LATEST)]);
    trainer.set_progress(|progress: &Progress| {
        reports += 1;
        assert!(progress.epoch_ended && progress.epochs == 50 && progress.step == progress.epoch);
        assert_eq!(progress.network.steps().unwrap(), progress.step);
        if progress.epoch < 7 {
            Flow::Continue
        } else {
            Flow::Stop
        }
    });
    let result = trainer.fit(&mut network, (&INPUTS, &TARGETS), Some((&INPUTS, &TARGETS))).unwrap();
    assert!(result.end == End::Stopped && result.epochs == 7 && result.steps == 7 && result.warning.is_none());
    assert!((result.loss - f64::from(network.evaluate(&INPUTS, &TARGETS).unwrap() / 4.0)).abs() < 1e-6);
    drop(trainer);
    assert_eq!(reports, 7);
}

#[test]
fn a_panic_or_an_abort_of_a_progress_function_undoes_the_fit() {
    let (mut network, mut trainer) = (network(1), Trainer::new().unwrap());
    let parameters = network.parameters().unwrap();
    trainer.set_progress(|_| panic!("enough"));
    assert_eq!(panic_of(|| drop(trainer.fit(&mut network, (&INPUTS, &TARGETS), None))), Some("enough"));
    trainer.set_progress(|_| Flow::Abort);
    assert_eq!(trainer.fit(&mut network, (&INPUTS, &TARGETS), None).unwrap_err().status, status::CALLBACK);
    assert_eq!(network.parameters().unwrap(), parameters);
}

#[test]
fn a_network_that_is_saved_in_a_progress_function_continues_its_fit() {
    let (mut one, mut bytes) = (network(1), Vec::new());
    let mut first = trainer(&[("epochs", 10.0)]);
    first.set_progress(|progress| {
        if progress.epoch == 4 {
            bytes = progress.network.to_bytes().unwrap();
        }
        Flow::Continue
    });
    first.fit(&mut one, (&INPUTS, &TARGETS), None).unwrap();
    drop(first);
    let mut other = Network::from_bytes(&bytes).unwrap();
    trainer(&[("epochs", 10.0), ("resume", 1.0)]).fit(&mut other, (&INPUTS, &TARGETS), None).unwrap();
    assert_eq!(other.parameters().unwrap(), one.parameters().unwrap());
}

#[test]
fn a_fit_is_cancelled_by_a_handle_that_may_outlive_the_trainer() {
    let mut trainer = trainer(&[("epochs", 1e9)]);
    let canceller = trainer.canceller();
    trainer.set_progress(move |_| {
        std::thread::spawn(move || canceller.cancel().unwrap()).join().unwrap();
        Flow::Continue
    });
    assert_eq!(trainer.fit(&mut network(1), (&INPUTS, &TARGETS), None).unwrap().end, End::Cancelled);
    drop(trainer);
    assert_eq!(canceller.cancel().unwrap_err().status, status::INVALID_HANDLE);
}

#[test]
fn row_weights_of_zero_leave_rows_out() {
    let (mut one, mut other, mut expected) = (network(1), network(1), network(1));
    let mut trainer = trainer(&[("epochs", 5.0), ("batch_size", 0.0), ("learning_rate", 0.5)]);
    let weights = [1.0, 1.0, 0.0, 0.0];
    let x = Matrix::new(&INPUTS, 2, Layout::RowMajor).unwrap();
    let y = Matrix::new(&TARGETS, 1, Layout::RowMajor).unwrap().weighted(&weights).unwrap();
    trainer.fit_rows(&mut one, (&x, &y), Some((&x, &y))).unwrap();
    trainer.set_option("keep", choice::KEEP_LATEST).unwrap();
    trainer.set_row_weights(&weights).unwrap();
    trainer.fit(&mut other, (&INPUTS, &TARGETS), None).unwrap();
    for _ in 0..5 {
        expected.train(&INPUTS[..4], &TARGETS[..2], 0.5).unwrap();
    }
    for network in [one, other] {
        for (a, b) in network.parameters().unwrap().iter().zip(expected.parameters().unwrap()) {
            assert!((a - b).abs() < 1e-6);
        }
    }
    assert_eq!(trainer.set_row_weights(&[-1.0]).unwrap_err().status, status::INVALID_VALUE);
}

#[test]
fn a_class_that_is_not_in_both_parts_is_a_warning() {
    let mut trainer = trainer(&[("epochs", 1.0), ("validation_fraction", 0.5), ("stratify", 1.0)]);
    let result = trainer.fit(&mut network(1), (&INPUTS, &[0.0, 1.0, 0.0, 0.0]), None).unwrap();
    assert!(result.end == End::Complete && result.warning.unwrap().contains("class"));
}

#[test]
fn a_fit_from_a_stream_makes_the_steps_of_its_minibatches() {
    let (mut network, mut other) = (network(1), network(1));
    let mut trainer = trainer(&[("epochs", 3.0), ("batch_size", 2.0), ("learning_rate", 0.5), ("keep", choice::KEEP_LATEST)]);
    let result = trainer.fit_stream(&mut network, next, Some((&INPUTS, &TARGETS))).unwrap();
    assert_eq!((result.end, result.epochs, result.steps), (End::Complete, 3, 6));
    for _ in 0..3 {
        other.train(&INPUTS[..4], &TARGETS[..2], 0.5).unwrap();
        other.train(&INPUTS[4..], &TARGETS[2..], 0.5).unwrap();
    }
    assert_eq!(network.parameters().unwrap(), other.parameters().unwrap());
}

#[test]
fn a_stream_stops_and_aborts_a_fit() {
    let mut network = network(1);
    let mut trainer = trainer(&[("epochs", 9.0), ("batch_size", 2.0)]);
    let parameters = network.parameters().unwrap();
    let at =
        |epoch: u64, flow: Flow| move |minibatch: &mut Minibatch| if minibatch.epoch == epoch { flow } else { next(minibatch) };
    assert_eq!(trainer.fit_stream(&mut network, at(2, Flow::Abort), None).unwrap_err().status, status::CALLBACK);
    let panics = |_: &mut Minibatch| -> Flow { panic!("no rows") };
    assert_eq!(panic_of(|| drop(trainer.fit_stream(&mut network, panics, None))), Some("no rows"));
    let wide = |minibatch: &mut Minibatch| {
        minibatch.push(&[0.0; 3], &[0.0]);
        Flow::Continue
    };
    assert!(catch_unwind(AssertUnwindSafe(|| drop(trainer.fit_stream(&mut network, wide, None)))).is_err());
    let too_many = |minibatch: &mut Minibatch| {
        minibatch.rows = minibatch.capacity() + 1;
        Flow::Continue
    };
    assert_eq!(trainer.fit_stream(&mut network, too_many, None).unwrap_err().status, status::INVALID_VALUE);
    assert_eq!(network.parameters().unwrap(), parameters);
    let result = trainer.fit_stream(&mut network, at(2, Flow::Stop), None).unwrap();
    assert_eq!((result.end, result.epochs), (End::Stopped, 2));
    assert_ne!(network.parameters().unwrap(), parameters);
}

#[test]
fn each_network_of_an_ensemble_has_the_bits_of_its_own_fit() {
    let rates = [0.1, 0.2, 0.5];
    let mut networks: Vec<Network> = (1..=3).map(network).collect();
    let mut together = trainer(&[("epochs", 20.0), ("batch_size", 0.0)]);
    let results = together.fit_ensemble(&mut networks, Some(&rates), (&INPUTS, &TARGETS), None).unwrap();
    let x: Vec<f64> = INPUTS.iter().map(|&x| x.into()).collect();
    let (x, y) = (Matrix::new(&x, 2, Layout::RowMajor).unwrap(), Matrix::new(&TARGETS, 1, Layout::RowMajor).unwrap());
    let mut again: Vec<Network> = (1..=3).map(network).collect();
    let same: Vec<FitResult> = together.fit_ensemble_rows(&mut again, Some(&rates), (&x, &y), None).unwrap();
    assert_eq!(same, results);
    for (i, rate) in rates.iter().enumerate() {
        let mut alone = network(i as u64 + 1);
        together.set_option("learning_rate", *rate).unwrap();
        let result = together.fit(&mut alone, (&INPUTS, &TARGETS), None).unwrap();
        assert_eq!((result.loss, result.end), (results[i].loss, End::Complete));
        assert_eq!(alone.parameters().unwrap(), networks[i].parameters().unwrap());
        assert_eq!(alone.parameters().unwrap(), again[i].parameters().unwrap());
    }
}

#[test]
fn an_ensemble_that_fails_changes_no_network() {
    let mut networks: Vec<Network> = (1..=3).map(network).collect();
    let before: Vec<_> = networks.iter().map(|network| network.parameters().unwrap()).collect();
    let mut trainer = trainer(&[("epochs", 20.0)]);
    trainer.set_progress(|progress| {
        assert_eq!(progress.network.steps().unwrap(), 0); // as it was
        panic!("enough")
    });
    let fit = || drop(trainer.fit_ensemble(&mut networks, None, (&INPUTS, &TARGETS), None));
    assert_eq!(panic_of(fit), Some("enough"));
    trainer.set_progress(|_| Flow::Continue);
    let mut status_of = |networks: &mut [Network], rates: Option<&[f64]>, targets: &[f32]| {
        trainer.fit_ensemble(networks, rates, (&INPUTS, targets), None).unwrap_err().status
    };
    assert_eq!(status_of(&mut networks, Some(&[0.1]), &TARGETS), status::MISMATCH);
    assert_eq!(status_of(&mut networks, Some(&[0.1, -1.0, 0.1]), &TARGETS), status::INVALID_VALUE);
    assert_eq!(status_of(&mut networks, None, &TARGETS[..3]), status::MISMATCH);
    assert_eq!(status_of(&mut [], None, &TARGETS), status::INVALID_VALUE);
    let after: Vec<_> = networks.iter().map(|network| network.parameters().unwrap()).collect();
    assert_eq!(after, before);
}
