"""Several threads that use one network or one activation."""
import threading

import numpy as np

import libbackprop as bp

X = np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32)
Y = np.random.default_rng(2).random((40, 3)).astype(np.float32)


def run(*functions):
    """Runs each function in a separate thread and returns the exceptions that they raised."""
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_predictions_during_training_never_see_a_partial_step():
    network, steps = bp.Network([8, 16, 3], seed=1), 60
    twin, expected = network.clone(), set()
    for _ in range(steps):
        expected.add(twin.predict(X).tobytes())
        twin.train_minibatch(X, Y, 0.05)
    expected.add(twin.predict(X).tobytes())
    seen = []

    def train():
        for _ in range(steps):
            network.train_minibatch(X, Y, 0.05)

    def predict():
        for _ in range(100):
            seen.append(network.predict(X).tobytes())

    assert run(train, predict, predict, predict) == []
    assert len(seen) == 300 and set(seen) <= expected
    assert network.parameters.tobytes() == twin.parameters.tobytes()


def test_networks_with_the_same_python_activation_are_independent():
    @bp.activation.vector(backward=lambda z, a, da: da * (1 - a * a))
    def shared(z):
        return np.tanh(z)

    def train(results, seed):
        network = bp.Network([8, 16, 3], seed=seed)
        network.set_activation(1, shared)
        for _ in range(30):
            network.train_minibatch(X, Y, 0.05)
        results[seed] = network.parameters.tobytes()

    together, alone = {}, {}
    assert run(*(lambda seed=seed: train(together, seed) for seed in range(4))) == []
    for seed in range(4):
        train(alone, seed)
    assert together == alone


def test_many_threads_can_read_and_train_a_network_with_a_python_activation():
    @bp.activation.scalar(derivative=lambda z, a: 1)
    def through(z):
        return z

    network = bp.Network([8, 4, 3], seed=1)
    network.set_activation(1, through)

    def use(call):
        def loop():
            for _ in range(10):
                call()
        return loop

    assert run(use(lambda: network.train_minibatch(X, Y, 0.001)), use(lambda: network.predict(X)),
               use(lambda: network.evaluate(X, Y)), use(network.to_bytes), use(lambda: network.clone().predict(X))) == []


def test_network_can_be_closed_during_calls_on_other_threads():
    for _ in range(20):
        network, started = bp.Network([8, 16, 3], seed=1), threading.Event()

        def predict():
            started.set()
            while True:
                network.predict(X)

        def close():
            started.wait()
            network.close()

        errors = run(predict, predict, close)
        assert [type(error) for error in errors] == [bp.InvalidHandleError] * 2
