//! Tests of matrices of any type and layout, of tensors, and of gradients.
use backprop::{choice, status, Half, Layout, Matrix, Network};

/// Two inputs, two outputs: y = W x + b.
const WEIGHTS: [f32; 4] = [1.0, 2.0, -3.0, 0.5];
const BIASES: [f32; 2] = [0.25, -1.0];
const INPUTS: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
const OUTPUTS: [f32; 6] = [5.25, -3.0, 11.25, -8.0, 17.25, -13.0];

fn linear() -> Network {
    let mut network = Network::new(&[2, 2], 1).unwrap();
    network.set_activation(1, "identity").unwrap();
    network.set_tensor("layers.1.weight", &WEIGHTS).unwrap();
    network.set_tensor("layers.1.bias", &BIASES).unwrap();
    network
}

#[test]
fn matrices_of_all_types_and_layouts_are_the_same_rows() {
    let network = linear();
    let doubles: Vec<f64> = INPUTS.iter().map(|&x| x.into()).collect();
    let columns = [1.0f64, 3.0, 5.0, 2.0, 4.0, 6.0];
    let halves = [0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600].map(Half); // 1 to 6
    let bytes = [12u8, 14, 16, 18, 20, 22]; // (stored - 10) / 2
    let signed = [1i8, 2, 3, 4, 5, 6];
    let upside_down = [0.0f32, 5.0, 6.0, 0.0, 3.0, 4.0, 0.0, 1.0, 2.0]; // the last row first, behind a column to be skipped
    for matrix in [
        Matrix::new(&INPUTS, 2, Layout::RowMajor),
        Matrix::new(&doubles, 2, Layout::RowMajor),
        Matrix::new(&columns, 2, Layout::ColumnMajor),
        Matrix::new(&halves, 2, Layout::RowMajor),
        Matrix::new(&signed, 2, Layout::RowMajor),
        Matrix::new(&bytes, 2, Layout::RowMajor).map(|matrix| matrix.quantized(0.5, 10)),
        Matrix::strided(&upside_down, 7, 3, 2, -3, 1),
    ] {
        let matrix = matrix.unwrap();
        assert_eq!((matrix.rows(), matrix.columns()), (3, 2));
        assert_eq!(network.predict_rows::<f32>(&matrix, Layout::RowMajor).unwrap(), OUTPUTS);
    }
    let x = Matrix::new(&INPUTS, 2, Layout::RowMajor).unwrap();
    let expected = [5.25, 11.25, 17.25, -3.0, -8.0, -13.0];
    assert_eq!(network.predict_rows::<f64>(&x, Layout::ColumnMajor).unwrap(), expected);
}

#[test]
fn a_matrix_beyond_its_slice_is_refused() {
    let status_of = |first, rows, row_stride, column_stride| {
        Matrix::strided(&INPUTS, first, rows, 2, row_stride, column_stride).err().map(|error| error.status)
    };
    assert_eq!(status_of(0, 3, 2, 1), None);
    for (first, rows, row_stride, column_stride) in
        [(0, 4, 2, 1), (1, 3, 2, 1), (0, 3, -2, 1), (3, 3, -2, 1), (6, 1, 1, 1), (0, 3, isize::MAX, 1), (0, 2, isize::MIN, -1)]
    {
        assert_eq!(status_of(first, rows, row_stride, column_stride), Some(status::MISMATCH));
    }
    assert_eq!(status_of(0, 3, 0, 0), Some(status::INVALID_VALUE));
    assert_eq!(Matrix::new(&INPUTS, 4, Layout::RowMajor).unwrap_err().status, status::MISMATCH);
    assert_eq!(Matrix::new(&INPUTS, 0, Layout::RowMajor).unwrap_err().status, status::MISMATCH);
    let x = Matrix::new(&INPUTS, 2, Layout::RowMajor).unwrap();
    assert_eq!(x.weighted(&[1.0]).unwrap_err().status, status::MISMATCH);
    let narrow = Matrix::new(&INPUTS, 1, Layout::RowMajor).unwrap();
    assert_eq!(linear().predict_rows::<f32>(&narrow, Layout::RowMajor).unwrap_err().status, status::MISMATCH);
}

#[test]
fn losses_and_scores_of_rows_are_weighted() {
    let network = linear();
    let targets = [5.25, -3.0, 12.25, -8.0, 17.25, -11.0]; // errors 0, 1 and 2
    assert_eq!(network.row_losses(&INPUTS, &targets).unwrap(), [0.0, 0.5, 2.0]);
    let x = Matrix::new(&INPUTS, 2, Layout::RowMajor).unwrap();
    let y = Matrix::new(&targets, 2, Layout::RowMajor).unwrap().weighted(&[1.0, 4.0, 0.0]).unwrap();
    assert_eq!(network.evaluate_rows(&x, &y).unwrap(), 2.0);
    assert_eq!(network.score_rows("mean_absolute_error", &x, &y).unwrap(), 4.0 / 10.0);
    assert_eq!(network.predict_layer(1, &INPUTS).unwrap(), OUTPUTS);
    assert_eq!(network.predict_layer(2, &INPUTS).unwrap_err().status, status::INVALID_VALUE);
}

#[test]
fn a_step_on_rows_is_that_on_floats() {
    let (mut network, mut other) = (linear(), linear());
    let (x, y) = (INPUTS.map(f64::from), [0.0f64; 6]);
    let (x, y) = (Matrix::new(&x, 2, Layout::RowMajor).unwrap(), Matrix::new(&y, 2, Layout::RowMajor).unwrap());
    let loss = network.train_rows(&x, &y, 0.01).unwrap();
    assert_eq!(loss, other.train(&INPUTS, &[0.0; 6], 0.01).unwrap());
    assert_eq!(network.parameters().unwrap(), other.parameters().unwrap());
    assert_eq!(network.steps().unwrap(), 1);
}

#[test]
fn scaling_is_computed_from_rows_at_once_or_in_pieces() {
    let (mut network, mut other) = (linear(), linear());
    let rows = |from: usize, to: usize| Matrix::new(&INPUTS[from..to], 2, Layout::RowMajor).unwrap();
    network.fit_scaling_rows("min_max", "none", Some(&rows(0, 6)), None).unwrap();
    other.add_scaling_rows(Some(&rows(0, 2)), None).unwrap();
    other.add_scaling_rows(Some(&rows(2, 6)), None).unwrap();
    other.finish_scaling("min_max", "none").unwrap();
    for scaled in [network, other] {
        assert_eq!((scaled.input_scaling().unwrap(), scaled.target_scaling().unwrap()), ("min_max".into(), "none".into()));
        assert_eq!(scaled.tensor("scaling.inputs.offset").unwrap(), [1.0, 2.0]);
        assert_eq!(scaled.tensor("scaling.inputs.scale").unwrap(), [4.0, 4.0]);
    }
    assert_eq!(linear().finish_scaling("min_max", "none").unwrap_err().status, status::INVALID_VALUE);
}

#[test]
fn tensors_are_the_parameters_by_name() {
    let mut network = linear();
    assert_eq!(network.tensor_names().unwrap(), ["layers.1.weight", "layers.1.bias"]);
    assert_eq!(network.tensor_shape("layers.1.weight").unwrap(), (2, 2));
    assert_eq!(network.tensor_shape("layers.1.bias").unwrap(), (1, 2));
    assert_eq!(network.parameters().unwrap(), [1.0, 2.0, -3.0, 0.5, 0.25, -1.0]);
    assert_eq!(network.parameter_count().unwrap(), 6);
    assert_eq!(network.tensor("layers.1.weight").unwrap(), WEIGHTS);
    assert_eq!(network.tensor("none").unwrap_err().status, status::UNKNOWN_NAME);
    assert_eq!(network.set_tensor("layers.1.bias", &[1.0]).unwrap_err().status, status::MISMATCH);
    assert_eq!(network.set_tensor("layers.1.bias", &[f32::NAN; 2]).unwrap_err().status, status::NOT_FINITE);
}

#[test]
fn layers_are_loaded_by_the_names_of_their_tensors() {
    let (bytes, mut other) = (linear().to_bytes().unwrap(), Network::new(&[2, 2], 2).unwrap());
    other.load_layer_from_bytes(1, &bytes, "layers.1.weight", Some("layers.1.bias")).unwrap();
    assert_eq!(other.parameters().unwrap(), linear().parameters().unwrap());
    other.load_layer_from_bytes(1, &bytes, "layers.1.weight", None).unwrap();
    assert_eq!(other.tensor("layers.1.bias").unwrap(), [0.0, 0.0]);
    other.load_weights_from_bytes(&bytes).unwrap();
    assert_eq!(other.parameters().unwrap(), linear().parameters().unwrap());
    let file = std::env::temp_dir().join(format!("backprop-{}.safetensors", std::process::id()));
    linear().save(&file).unwrap();
    other.load_layer(1, &file, "layers.1.weight", Some("layers.1.bias")).unwrap();
    assert_eq!(other.load_layer(1, &file, "none", None).unwrap_err().status, status::UNKNOWN_NAME);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(other.load_layer(1, &file, "none", None).unwrap_err().status, status::IO);
    assert_eq!(other.load_weights_from_bytes(&[]).unwrap_err().status, status::NOT_A_MODEL);
}

#[test]
fn gradients_of_a_linear_network_are_its_weights() {
    let mut network = linear();
    network.set_option("gradient_reduction", choice::REDUCTION_SUM).unwrap();
    assert_eq!(network.input_jacobian(&[7.0, -7.0]).unwrap(), WEIGHTS);
    // dL/dx = W' dL/dy; dL/dW = dL/dy x'; dL/db = dL/dy
    let gradients = network.backpropagate(&[7.0, -5.0], &[1.0, 2.0]).unwrap();
    assert_eq!(gradients.inputs, [-5.0, 3.0]);
    assert_eq!(gradients.parameters, [7.0, -5.0, 14.0, -10.0, 1.0, 2.0]);
    assert_eq!(network.input_gradients(&[7.0, -5.0], &[1.0, 2.0]).unwrap(), [-5.0, 3.0]);
    assert_eq!(network.input_gradients(&[7.0, -5.0], &[1.0]).unwrap_err().status, status::MISMATCH);
    assert!(network.check_gradient(&INPUTS, &[0.0; 6]).unwrap() < 1e-2);
    assert_eq!(network.check_gradient(&INPUTS, &[0.0; 4]).unwrap_err().status, status::MISMATCH);
}
