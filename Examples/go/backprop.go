package main

/*
#cgo LDFLAGS: -lbackprop
#include <backprop.h>
#include <stdlib.h>

extern int32_t goForward(float *z, float *a, size_t count, uintptr_t activation);
extern int32_t goBackward(float *z, float *a, float *da, float *dz, size_t count, uintptr_t activation);
extern void goDestroy(uintptr_t activation);

// user_data is the number of a cgo.Handle: Go's stack may not hold a number as a pointer.
static int32_t forward(const float *z, float *a, size_t rows, size_t columns, void *activation) {
	return goForward((float *)z, a, rows * columns, (uintptr_t)activation);
}
static int32_t backward(const float *z, const float *a, const float *da, float *dz, size_t rows, size_t columns,
                        void *activation) {
	return goBackward((float *)z, (float *)a, (float *)da, dz, rows * columns, (uintptr_t)activation);
}
static void destroy(void *activation) { goDestroy((uintptr_t)activation); }

static int32_t register_activation(const char *name, uintptr_t activation) {
	return bp_activation_register_vector(name, forward, backward, (void *)activation, destroy);
}
*/
import "C"

import (
	"fmt"
	"runtime"
	"runtime/cgo"
	"sync"
	"syscall"
	"unsafe"
)

// Error is a call that failed.
type Error struct {
	Status  int
	Message string
}

func (e *Error) Error() string { return e.Message }

// call keeps the goroutine on one thread until it has the error of the call, because the message belongs to the thread, and so
// does the error of a callback.
func call(function func() C.int32_t) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	status := function()
	if err, found := callbackErrors.LoadAndDelete(syscall.Gettid()); found {
		return err.(error)
	}
	if status < 0 {
		return &Error{int(status), C.GoString(C.bp_last_error_message())}
	}
	return nil
}

// callbackErrors holds the error of a callback for the call that failed by it: by the thread of both.
var callbackErrors sync.Map

// Activation computes arrays of numbers: outputs a of sums z, and gradients dz of da.
type Activation interface {
	Forward(z, a []float32) error
	Backward(z, a, da, dz []float32) error
}

// Register makes an activation known by a name.
func Register(name string, activation Activation) error {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	handle := cgo.NewHandle(activation)
	err := call(func() C.int32_t { return C.register_activation(cName, C.uintptr_t(handle)) })
	if err != nil {
		handle.Delete()
	}
	return err
}

// Network wraps a bp_network. Close frees it.
type Network struct{ handle *C.bp_network }

func made(make func(handle **C.bp_network) C.int32_t) (*Network, error) {
	network := new(Network)
	err := call(func() C.int32_t { return make(&network.handle) })
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(network, (*Network).Close)
	return network, nil
}

// NewNetwork makes a network with random weights.
func NewNetwork(seed uint64, layers ...int) (*Network, error) {
	sizes := make([]C.size_t, len(layers))
	for i, size := range layers {
		sizes[i] = C.size_t(size)
	}
	return made(func(handle **C.bp_network) C.int32_t {
		return C.bp_network_create(&sizes[0], C.size_t(len(sizes)), C.uint64_t(seed), handle)
	})
}

// Load reads a model file.
func Load(path string) (*Network, error) {
	cPath := C.CString(path)
	defer C.free(unsafe.Pointer(cPath))
	return made(func(handle **C.bp_network) C.int32_t { return C.bp_network_load(cPath, handle) })
}

// Close frees the network. Later calls return an error.
func (n *Network) Close() {
	C.bp_network_free(n.handle)
	n.handle = nil
}

func (n *Network) call(function func() C.int32_t) error {
	defer runtime.KeepAlive(n) // the finalizer must not run during the call
	return call(function)
}

func (n *Network) size(layer C.size_t) (size C.size_t, err error) {
	err = n.call(func() C.int32_t { return C.bp_network_layer_size(n.handle, layer, &size) })
	return
}

// SetActivation sets the activation of a layer.
func (n *Network) SetActivation(layer int, name string) error {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	return n.call(func() C.int32_t { return C.bp_network_set_activation(n.handle, C.size_t(layer), cName) })
}

// Train makes one step on all rows.
func (n *Network) Train(inputs, targets []float32, rate float32) error {
	rows, err := n.rows(inputs)
	if err != nil {
		return err
	}
	outputs, err := n.outputs()
	if err != nil {
		return err
	}
	if C.size_t(len(targets)) != rows*outputs {
		return fmt.Errorf("%d numbers are not %d rows of %d", len(targets), rows, outputs)
	}
	return n.call(func() C.int32_t {
		return C.bp_network_train_minibatch(n.handle, floats(inputs), floats(targets), rows, C.float(rate), nil)
	})
}

// Predict returns the outputs of all rows.
func (n *Network) Predict(inputs []float32) ([]float32, error) {
	rows, err := n.rows(inputs)
	if err != nil {
		return nil, err
	}
	columns, err := n.outputs()
	if err != nil {
		return nil, err
	}
	outputs := make([]float32, rows*columns)
	err = n.call(func() C.int32_t { return C.bp_network_predict(n.handle, floats(inputs), rows, floats(outputs)) })
	return outputs, err
}

// Save writes a model file.
func (n *Network) Save(path string) error {
	cPath := C.CString(path)
	defer C.free(unsafe.Pointer(cPath))
	return n.call(func() C.int32_t { return C.bp_network_save(n.handle, cPath) })
}

func (n *Network) rows(inputs []float32) (C.size_t, error) {
	columns, err := n.size(0)
	if err == nil && C.size_t(len(inputs))%columns != 0 {
		err = fmt.Errorf("%d numbers are not rows of %d", len(inputs), columns)
	}
	if err != nil {
		return 0, err
	}
	return C.size_t(len(inputs)) / columns, nil
}

func (n *Network) outputs() (C.size_t, error) {
	var layers C.size_t
	if err := n.call(func() C.int32_t { return C.bp_network_layer_count(n.handle, &layers) }); err != nil {
		return 0, err
	}
	return n.size(layers - 1)
}

func floats(values []float32) *C.float {
	if len(values) == 0 {
		return nil
	}
	return (*C.float)(&values[0])
}
