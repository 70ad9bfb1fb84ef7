//! Tests of custom activations and losses in all forms, and of all-reduce functions.
use backprop::{activation_kind, check_activation, check_loss, register_activation, register_activation_without_derivative};
use backprop::{register_library_activation, register_loss, register_vector_activation, set_thread_safe, status};
use backprop::{ActivationKind, Network, Reduce, Trainer, Values};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::sync::{Arc, Barrier, Mutex};

const INPUTS: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
const TARGETS: [f32; 4] = [0.0, 1.0, 1.0, 0.0];

/// The output is the activation of the input.
fn only(activation: &str) -> Network {
    let mut network = Network::new(&[1, 1], 1).unwrap();
    network.set_parameters(&[1.0, 0.0]).unwrap();
    network.set_activation(1, activation).unwrap();
    network
}

/// The text of the panic.
fn panic_of(function: impl FnOnce()) -> Option<&'static str> {
    catch_unwind(AssertUnwindSafe(function)).err().and_then(|panic| panic.downcast_ref::<&'static str>().copied())
}

#[test]
fn an_activation_needs_no_derivative() {
    register_activation_without_derivative("cube", |z| z * z * z).unwrap();
    assert_eq!(activation_kind("cube").unwrap(), ActivationKind::Scalar);
    assert_eq!(only("cube").predict(&[3.0]).unwrap(), [27.0]);
    let report = check_activation("cube").unwrap();
    assert!(report.worst_error < 1e-2 && report.points > 100 && report.first_kink.is_none());
    register_activation_without_derivative("no_cube", |_| panic!("no value")).unwrap();
    let mut network = only("no_cube");
    assert_eq!(panic_of(|| drop(network.train(&[1.0], &[1.0], 0.5))), Some("no value"));
    assert_eq!(network.parameters().unwrap(), [1.0, 0.0]);
}

#[test]
fn a_check_finds_a_wrong_derivative_and_a_kink() {
    register_activation("wrong", |z| z * z, |z, _| 3.0 * z).unwrap();
    assert!(check_activation("wrong").unwrap().worst_error > 0.2);
    register_activation_without_derivative("kink", |z| z.abs()).unwrap();
    let report = check_activation("kink").unwrap();
    assert!(report.worst_error < 1e-2 && report.kinks > 0 && report.first_kink == Some(0.0));
    assert_eq!(check_activation("none").unwrap_err().status, status::UNKNOWN_NAME);
    assert_eq!(activation_kind("tanh").unwrap(), ActivationKind::BuiltIn);
}

#[test]
fn a_vector_activation_combines_the_numbers_of_a_row() {
    // Each number minus the mean of its row.
    let center = |z: &[f32], a: &mut [f32], columns: usize| {
        for (z, a) in z.chunks(columns).zip(a.chunks_mut(columns)) {
            let mean = z.iter().sum::<f32>() / columns as f32;
            a.iter_mut().zip(z).for_each(|(a, z)| *a = z - mean);
        }
        Ok(())
    };
    register_vector_activation("center", center, move |_, _, da, dz, columns| center(da, dz, columns)).unwrap();
    assert!(check_activation("center").unwrap().worst_error < 1e-2);
    let mut network = Network::new(&[1, 2], 1).unwrap();
    network.set_parameters(&[1.0, 3.0, 0.0, 0.0]).unwrap();
    network.set_activation(1, "center").unwrap();
    assert_eq!(network.predict(&[2.0]).unwrap(), [-2.0, 2.0]);
    register_vector_activation("refuses", |_, _, _| Err(42), |_, _, _, _, _| Ok(())).unwrap();
    network.set_activation(1, "refuses").unwrap();
    let error = network.predict(&[2.0]).unwrap_err();
    assert!(error.status == status::CALLBACK && error.message.contains("42"), "{error:?}");
}

#[test]
fn a_function_of_a_shared_library_is_an_activation() {
    let math = Some(Path::new("libm.so.6"));
    unsafe { register_library_activation("erf", math, "erf", None, "d(d)", &[]) }.unwrap();
    assert!((only("erf").predict(&[1.0]).unwrap()[0] - 0.842_700_8).abs() < 1e-6);
    unsafe { register_library_activation("eighth", math, "ldexp", None, "d(d,i)", &[-3.0]) }.unwrap();
    assert_eq!(only("eighth").predict(&[16.0]).unwrap(), [2.0]);
    let missing = unsafe { register_library_activation("none", math, "no_such_function", None, "d(d)", &[]) };
    assert_eq!(missing.unwrap_err().status, status::LIBRARY);
}

#[test]
fn a_thread_safe_activation_gives_the_same_results() {
    register_activation("on_threads", |z| z.tanh(), |_, a| 1.0 - a * a).unwrap();
    let x: Vec<f32> = (0..64 * 512).map(|i| (i % 7) as f32 / 7.0).collect();
    let mut network = Network::new(&[64, 256, 8], 1).unwrap();
    network.set_activation(1, "on_threads").unwrap();
    let expected = network.predict(&x).unwrap();
    set_thread_safe("on_threads", true).unwrap();
    network.set_activation(1, "on_threads").unwrap();
    assert_eq!(network.predict(&x).unwrap(), expected);
    assert_eq!(set_thread_safe("tanh", true).unwrap_err().status, status::UNSUPPORTED);
}

#[test]
fn a_check_finds_a_wrong_gradient_of_a_loss() {
    fn loss(factor: f32) -> impl Fn(&[f32], &[f32], &mut [f32]) -> f64 {
        move |y, t, gradient| {
            let error = y[0] - t[0];
            if let [slope, ..] = gradient {
                *slope = factor * error;
            }
            f64::from(error) * f64::from(error)
        }
    }
    register_loss("square", 2, loss(2.0)).unwrap();
    register_loss("wrong", 2, loss(3.0)).unwrap();
    let (outputs, targets) = ([1.0, 2.0], [0.0, 9.0, 0.5, 9.0]);
    assert!(check_loss("square", &outputs, &targets, 1).unwrap() < 1e-2);
    assert!(check_loss("wrong", &outputs, &targets, 1).unwrap() > 0.2);
    assert_eq!(check_loss("square", &outputs, &targets[..2], 1).unwrap_err().status, status::MISMATCH);
    assert_eq!(check_loss("none", &outputs, &targets, 1).unwrap_err().status, status::UNKNOWN_NAME);
    register_loss("panics", 2, |_, _, _| panic!("no loss")).unwrap();
    assert_eq!(panic_of(|| drop(check_loss("panics", &outputs, &targets, 1))), Some("no loss"));
}

/// Two workers that exchange numbers in memory. Returns the parameters of both.
fn train_on_two_workers(train: impl Fn(&mut Network, usize) + Sync) -> [Vec<f32>; 2] {
    let (barrier, sums) = (Arc::new(Barrier::new(2)), Arc::new(Mutex::new(Vec::<f64>::new())));
    let work = |worker: usize| {
        let (barrier, sums) = (barrier.clone(), sums.clone());
        let mut network = Network::new(&[2, 4, 1], 1).unwrap();
        network
            .set_all_reduce(worker, 2, move |values, operation| {
                let own: Vec<f64> = match &values {
                    Values::Float(values) => values.iter().map(|&value| value.into()).collect(),
                    Values::Double(values) => values.to_vec(),
                };
                let combine = if operation == Reduce::Sum { |a, b| a + b } else { f64::max };
                {
                    let mut sums = sums.lock().unwrap();
                    *sums = if sums.is_empty() { own } else { sums.iter().zip(own).map(|(&a, b)| combine(a, b)).collect() };
                }
                barrier.wait();
                let all = sums.lock().unwrap().clone();
                match values {
                    Values::Float(values) => values.iter_mut().zip(all).for_each(|(value, sum)| *value = sum as f32),
                    Values::Double(values) => values.copy_from_slice(&all),
                }
                if barrier.wait().is_leader() {
                    sums.lock().unwrap().clear();
                }
                barrier.wait();
                Ok(())
            })
            .unwrap();
        train(&mut network, worker);
        network.parameters().unwrap()
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| work(1));
        [work(0), other.join().unwrap()]
    })
}

#[test]
fn two_workers_make_the_steps_of_one() {
    let [first, second] = train_on_two_workers(|network, worker| {
        let (x, y) = (&INPUTS[4 * worker..4 * worker + 4], &TARGETS[2 * worker..2 * worker + 2]);
        for _ in 0..10 {
            network.train(x, y, 0.5).unwrap();
        }
        let mut trainer = Trainer::new().unwrap();
        for (option, value) in [("shared_rows", 1.0), ("epochs", 5.0), ("learning_rate", 0.5)] {
            trainer.set_option(option, value).unwrap();
        }
        trainer.fit(network, (&INPUTS, &TARGETS), None).unwrap();
    });
    let mut alone = Network::new(&[2, 4, 1], 1).unwrap();
    for _ in 0..15 {
        alone.train(&INPUTS, &TARGETS, 0.5).unwrap();
    }
    assert_eq!(first, second);
    for (a, b) in first.iter().zip(alone.parameters().unwrap()) {
        assert!((a - b).abs() < 1e-5);
    }
}

#[test]
fn an_all_reduce_function_that_fails_changes_nothing_and_is_kept_as_long_as_it_is_used() {
    let state = Arc::new(());
    let kept = state.clone();
    let mut network = Network::new(&[2, 4, 1], 1).unwrap();
    let parameters = network.parameters().unwrap();
    let fails = |network: &mut Network, function: fn() -> Result<(), i32>| {
        let kept = kept.clone();
        network
            .set_all_reduce(0, 2, move |_, _| {
                let _ = &kept;
                function()
            })
            .unwrap();
    };
    fails(&mut network, || Err(7));
    let error = network.train(&INPUTS, &TARGETS, 0.5).unwrap_err();
    assert!(error.status == status::CALLBACK && error.message.contains('7'), "{error:?}");
    fails(&mut network, || panic!("no network"));
    assert_eq!(Arc::strong_count(&state), 3);
    assert_eq!(panic_of(|| drop(network.train(&INPUTS, &TARGETS, 0.5))), Some("no network"));
    assert_eq!(network.parameters().unwrap(), parameters);
    assert_eq!(network.set_all_reduce(2, 2, |_, _| Ok(())).unwrap_err().status, status::INVALID_VALUE);
    network.try_clone().unwrap().train(&INPUTS, &TARGETS, 0.5).unwrap(); // a copy trains alone
    network.remove_all_reduce().unwrap();
    assert_eq!(Arc::strong_count(&state), 2);
    network.train(&INPUTS, &TARGETS, 0.5).unwrap();
    fails(&mut network, || Err(7));
    drop(network);
    assert_eq!(Arc::strong_count(&state), 2);
}
