"""Loads the network that Examples/c/digits.c trained, and predicts the held-out digits with the same bits as in C.

    python digits.py DATA.csv FOLDER

FOLDER contains the files of the C program. Needs NumPy and libbackprop. picture.py draws the results.
"""
import ctypes
import ctypes.util
import os
import sys

import numpy as np

import libbackprop as bp

# The custom activation of the network, 1.7159 tanh(2z/3). A file contains only its name, so that the program must register
# the function before it loads the file. The results have the same bits as in C, because the function calls tanhf of the same C
# library and rounds each operation to float. Python's float is double and would round differently.
tanhf = ctypes.CDLL(ctypes.util.find_library("m")).tanhf
tanhf.restype, tanhf.argtypes = ctypes.c_float, [ctypes.c_float]

HEIGHT = np.float32(1.7159)
SLOPE = np.float32(2) / np.float32(3)


@bp.activation.scalar(derivative=lambda z, a: HEIGHT * SLOPE * (1 - np.float32(a / HEIGHT) ** 2))
def scaled_tanh(z):
    return HEIGHT * np.float32(tanhf(SLOPE * np.float32(z)))


def held_out(path):
    """Every fifth line of the data: pixels [images x 64] from 0 to 1, and digits [images]."""
    rows = np.loadtxt(path, delimiter=",", dtype=np.float32)[4::5]
    return rows[:, :64] / 16, rows[:, 64].astype(int)


def main(data, folder):
    pixels, digits = held_out(data)
    with bp.load(os.path.join(folder, "digits.safetensors")) as network:
        print(f"libbackprop {bp.library_version()} ({bp.instruction_set()}), layers {network.layers}")
        predictions = network.predict(pixels)

    in_c = np.fromfile(os.path.join(folder, "predictions_c.f32"), np.float32).reshape(-1, 10)
    same = in_c.shape == predictions.shape and in_c.tobytes() == predictions.tobytes()
    accuracy = np.mean(predictions.argmax(axis=1) == digits)
    print(f"{len(predictions)} predictions bit for bit as in C: {'yes' if same else 'no'}")
    print(f"held-out accuracy: {accuracy:.2%}")
    return 0 if same and accuracy >= 0.96 else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: digits.py DATA.csv FOLDER")
    sys.exit(main(*sys.argv[1:]))
