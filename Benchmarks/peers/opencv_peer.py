"""OpenCV's ANN_MLP. It computes in double precision, row by row, with symmetric sigmoids, and its first weights cannot be set:
the same amount of work as the networks of logistic units, but another network. It ends a call when an epoch changes the loss by no
more than a limit, which is the least there is: 0 would be 0.01 without TERM_CRITERIA_EPS."""
import numpy as np
from job import THREADS


def variants(job):
    if not job.train or job.adam or job.hidden != "logistic":
        return
    import cv2
    cv2.setNumThreads(THREADS)
    m = cv2.ml.ANN_MLP_create()
    m.setLayerSizes(np.array(job.size))
    m.setActivationFunction(cv2.ml.ANN_MLP_SIGMOID_SYM, 1, 1)
    m.setTrainMethod(cv2.ml.ANN_MLP_BACKPROP, 1e-3, 0.0)
    rows = cv2.ml.TrainData_create(job.x, cv2.ml.ROW_SAMPLE, job.y)
    criteria = cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS
    m.setTermCriteria((criteria, 1, 0))
    m.train(rows)

    def run(n):
        m.setTermCriteria((criteria, n, 0))
        m.train(rows, cv2.ml.ANN_MLP_UPDATE_WEIGHTS | cv2.ml.ANN_MLP_NO_INPUT_SCALE | cv2.ml.ANN_MLP_NO_OUTPUT_SCALE)
    yield "backprop", run, lambda x: m.predict(x)[1]
