"""scikit-learn."""


def variants(job):
    """Without Adam, MLPRegressor: its output is always linear, with half the squared error, so the loss is not comparable, and
    the rate is set low enough for it not to diverge."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    if job.bn or job.dropout or job.hidden not in ("logistic", "tanh", "relu"):
        return
    y = job.y.argmax(1) if job.cross_entropy else job.y[:, 0] if job.y.shape[1] == 1 else job.y
    m = (MLPClassifier if job.cross_entropy else MLPRegressor)(
        hidden_layer_sizes=job.size[1:-1], activation=job.hidden, solver="adam" if job.adam else "sgd", alpha=0,
        batch_size=min(job.batch, job.rows), learning_rate_init=job.eta if job.adam else 1e-4, momentum=0,
        nesterovs_momentum=False, shuffle=False, tol=0, n_iter_no_change=10 ** 9, max_iter=1,
        warm_start=not job.adam)
    if job.cross_entropy:
        m.partial_fit(job.x, y, classes=range(job.size[-1]))
    else:
        m.fit(job.x, y)
    m.coefs_ = [w.T.copy() for w, _ in job.layers]
    m.intercepts_ = [b.copy() for _, b in job.layers]
    del m._optimizer

    def run(n):
        if job.adam:
            for _ in range(n):
                m.partial_fit(job.x, y)  # fit would begin with a new Adam
        elif job.train:
            m.max_iter = n
            m.fit(job.x, y)
        else:
            for _ in range(n):
                m.predict(job.next_rows())

    predict = m.predict_proba if job.cross_entropy else m.predict
    yield type(m).__name__, run, lambda x: predict(x).reshape(len(x), -1)
