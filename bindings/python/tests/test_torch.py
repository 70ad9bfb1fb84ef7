"""PyTorch: modules from and to networks, and a network as a layer of a model. `make test-python-all` installs PyTorch."""
import copy
import io
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import libbackprop as bp  # noqa: E402
from conversions import BUILT_IN, near, trained  # noqa: E402
from libbackprop.torch import Layer, from_module, load_state_dict, state_dict, to_module  # noqa: E402


@pytest.fixture(autouse=True)
def same_random_numbers():
    torch.manual_seed(0)


@pytest.mark.parametrize("activation", BUILT_IN)
def test_a_module_of_a_network_predicts_the_same_and_gives_the_same_network(activation, rng):
    network, x = trained(activation, rng, dropout=(2,))
    module = to_module(network)
    assert not module.training and near(module(torch.from_numpy(x)).detach().numpy(), network.predict(x))
    again = from_module(module)
    assert near(again.predict(x), network.predict(x))
    assert (again.activations, again.batchnorm, again.layers) == (network.activations, network.batchnorm, network.layers)
    assert again.get_dropout(2) == pytest.approx(0.25) and again.get_dropout(1) == 0


MODULES = {
    "nested": nn.Sequential(nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.GELU()), nn.Identity(),
                            nn.Sequential(nn.Linear(5, 2))),
    "one layer": nn.Linear(4, 2),
    "without bias": nn.Sequential(nn.Linear(4, 5, bias=False), nn.SELU(), nn.Linear(5, 2, bias=False)),
    "norms": nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 5), nn.BatchNorm1d(5, eps=0.1), nn.ReLU(),
                           nn.BatchNorm1d(5, affine=False), nn.Linear(5, 3), nn.BatchNorm1d(3, eps=1e-3), nn.Softmax(dim=1)),
    "two activations": nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.ReLU(), nn.Linear(5, 2), nn.Softplus(), nn.Sigmoid()),
    "two linear": nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 3), nn.Softmax(-1)),
    "norm at the end": nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.BatchNorm1d(3, affine=False)),
}


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_a_network_of_a_module_predicts_the_same(module):
    module = copy.deepcopy(module).train()
    for _ in range(4):  # statistics of batch normalization
        module(torch.randn(16, 4) * 3 + 1)
    x = torch.randn(20, 4)
    assert near(from_module(module.eval()).predict(x.numpy()), module(x).detach().numpy())


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(5, 5)

    def forward(self, x):
        return self.inner(x)


@pytest.mark.parametrize("module, named", [
    (nn.Sequential(nn.Linear(4, 5), nn.LeakyReLU(0.2)), r"module '1' \(LeakyReLU\(negative_slope=0.2\)\)"),
    (nn.Sequential(nn.Linear(4, 5), nn.GELU("tanh")), "GELU"),
    (nn.Sequential(nn.Linear(4, 5), nn.Softplus(2.0)), "Softplus"),
    (nn.Sequential(nn.Linear(4, 5), nn.LogSoftmax(-1)), "LogSoftmax"),
    (nn.Sequential(nn.Linear(4, 5), nn.Softmax(0)), "Softmax"),
    (nn.Sequential(nn.Linear(4, 5), nn.Sequential(nn.LayerNorm(5))), r"module '1\.0' \(LayerNorm"),
    (nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5, track_running_stats=False)), "BatchNorm1d"),
    (nn.Sequential(nn.Linear(4, 5), Block()), r"module '1' \(Block\): it has no counterpart: convert an nn.Sequential"),
    (nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 5)), "module '0' .*Dropout"),
    (nn.Sequential(nn.Tanh(), nn.Linear(4, 5)), "tanh.* before the first weights"),
    (nn.Sequential(nn.Linear(4, 5), nn.Linear(6, 2)), "after 5 units"),
    (nn.Sequential(), "without weights"),
])
def test_a_module_without_counterpart_is_named(module, named):
    with pytest.raises(bp.UnsupportedError, match=named):
        from_module(module)


def test_dropout_rates_are_the_same_numbers():
    assert from_module(nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.2), nn.Linear(5, 1))).get_dropout(1) == 0.2


def test_what_is_no_module_and_custom_activations_are_refused():
    with pytest.raises(TypeError, match=r"expected a torch\.nn\.Module, got int"):
        from_module(3)
    bp.activation.register_scalar("cube", lambda z: z ** 3, lambda z, a: 3 * z * z)
    network = bp.Network([2, 3, 1])
    network.set_activation(2, "cube")
    with pytest.raises(bp.UnsupportedError, match="layer 2: the custom activation 'cube'"):
        to_module(network)


def test_state_dictionaries_are_read_and_written_under_the_names_of_the_model():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.bn, self.head = nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)

        def forward(self, x):
            return self.head(torch.tanh(self.bn(self.fc1(x))))

    model, x = Model().train(), torch.randn(20, 4)
    model(x * 2)
    network = bp.Network([4, 5, 2], seed=1)
    network.set_activation(1, "tanh")
    network.set_activation(2, "identity")
    network.set_batchnorm(1)
    mapping = {"layers.1": "fc1", "layers.1.norm": "bn", "layers.2": "head"}
    for names in (mapping, None):
        network.initialize(5)
        load_state_dict(network, model.double().state_dict(), names)
        assert near(network.predict(x.numpy()), model.float().eval()(x).detach().numpy())
    other = Model().eval()
    other.load_state_dict(state_dict(network, mapping), strict=False)  # there is no num_batches_tracked
    assert near(other(x).detach().numpy(), network.predict(x.numpy()))


# A network as a layer


def model_with_layer():
    network = bp.Network([4, 8, 2], seed=1)
    network.set_activation(1, "tanh")
    network.fit_scaling(np.random.default_rng(0).normal(size=(9, 4)) * 3, np.random.default_rng(1).normal(size=(9, 2)))
    layer = Layer(network)
    model = nn.Sequential(nn.Linear(3, 4), layer, nn.Linear(2, 1))
    return model, nn.Sequential(model[0], to_module(network), model[2])


def test_outputs_and_gradients_of_a_layer_are_those_of_the_same_module():
    model, reference = model_with_layer()
    x = torch.randn(20, 3, requires_grad=True)
    found = torch.autograd.grad(model(x).square().sum(), [x, model[0].weight, model[1].parameters_, model[2].weight])
    parameters = [each for each in reference[1].parameters() if each.requires_grad]
    expected = torch.autograd.grad(reference(x).square().sum(), [x, model[0].weight, *parameters, model[2].weight])
    expected = [*expected[:2], torch.cat([each.reshape(-1) for each in expected[2:-1]]), expected[-1]]
    for ours, theirs in zip(found, expected):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.Adam])
def test_an_optimizer_of_pytorch_trains_the_whole_model_as_the_same_module(optimizer):
    model, reference = model_with_layer()
    reference = copy.deepcopy(reference)
    x = torch.randn(50, 3)
    losses = []
    for each in (model, reference):
        steps = optimizer(each.parameters(), 0.01)
        for _ in range(100):
            steps.zero_grad()
            loss = (each(x) - x[:, :1].sin()).square().mean()
            loss.backward()
            steps.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-2) and losses[0] < 0.5
    trained = model[1].network  # a copy with the trained parameters
    hidden = model[0](x).detach()
    assert near(trained.predict(hidden.numpy()), model[1](hidden).detach().numpy())


def test_changes_of_the_parameters_through_data_count():
    layer, x = model_with_layer()[0][1], torch.randn(5, 4)
    before = layer(x)
    layer.parameters_.data.mul_(2)
    assert not torch.allclose(layer(x), before)


def test_copies_pickles_and_state_dictionaries_of_a_model_compute_the_same():
    model, _ = model_with_layer()
    x, file = torch.randn(20, 3), io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    other = model_with_layer()[0]
    with torch.no_grad():
        model[1].parameters_.add_(0.1)
    other.load_state_dict(model.state_dict())
    for each in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), other):
        assert torch.equal(each(x), model(x))
    assert not torch.equal(torch.load(file, weights_only=False)(x), model(x))  # saved before the change


def test_a_layer_accepts_any_shape_type_and_number_of_rows():
    layer, x = model_with_layer()[0][1], torch.randn(12, 4)
    assert layer(x[:0]).shape == (0, 2) and layer(x[0]).shape == (2,) and layer(x.reshape(3, 2, 2, 4)).shape == (3, 2, 2, 2)
    assert layer(x.double()).dtype == torch.float64 and torch.allclose(layer(x.double()).float(), layer(x))
    layer(x[:0]).sum().backward()
    assert (layer.parameters_.grad == 0).all()
    assert torch.equal(layer(x.T.contiguous().T), layer(x))
    with pytest.raises(ValueError, match=r"inputs: expected shape \(rows, 4\)"):
        layer(torch.randn(5, 3))


def test_gradients_of_inputs_need_no_gradients_of_parameters():
    layer, x = model_with_layer()[0][1], torch.randn(12, 4, requires_grad=True)
    expected, = torch.autograd.grad(layer(x).sum(), x)
    layer.requires_grad_(False)
    found, = torch.autograd.grad(layer(x).sum(), x)
    assert torch.allclose(found, expected, rtol=1e-5)
    with torch.no_grad():
        assert not layer(x).requires_grad


def test_what_a_layer_cannot_do_is_refused():
    network = bp.Network([4, 5, 2])
    network.set_dropout(1, 0.5)
    with pytest.raises(bp.UnsupportedError, match="dropout"):
        Layer(network)
    network = bp.Network([4, 2])
    network.set_batchnorm(1)
    with pytest.raises(bp.UnsupportedError, match="fold_batchnorm"):
        Layer(network)
    layer, x = model_with_layer()[0][1], torch.randn(5, 4, requires_grad=True)
    y = layer(x).sum()
    with torch.no_grad():
        layer.parameters_.add_(1)
    with pytest.raises(RuntimeError, match="inplace"):
        y.backward()
    gradient, = torch.autograd.grad(layer(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match=r"differentiate twice|once_differentiable"):
        gradient.sum().backward()
    with pytest.raises(bp.NotFiniteError):
        (layer(x) * torch.inf).sum().backward()
