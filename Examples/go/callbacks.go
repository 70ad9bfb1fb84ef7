package main

// #include <stddef.h>
// #include <stdint.h>
import "C"

import (
	"fmt"
	"runtime/cgo"
	"syscall"
	"unsafe"
)

//export goForward
func goForward(z, a *C.float, count C.size_t, activation C.uintptr_t) C.int32_t {
	return guarded(func() error {
		return cgo.Handle(activation).Value().(Activation).Forward(slice(z, count), slice(a, count))
	})
}

//export goBackward
func goBackward(z, a, da, dz *C.float, count C.size_t, activation C.uintptr_t) C.int32_t {
	return guarded(func() error {
		return cgo.Handle(activation).Value().(Activation).Backward(
			slice(z, count), slice(a, count), slice(da, count), slice(dz, count))
	})
}

//export goDestroy
func goDestroy(activation C.uintptr_t) { cgo.Handle(activation).Delete() }

// guarded stores an error for the call, and makes an error of a panic, which must not pass through the library.
func guarded(function func() error) (status C.int32_t) {
	defer func() {
		if panicked := recover(); panicked != nil {
			callbackErrors.Store(syscall.Gettid(), fmt.Errorf("panic: %v", panicked))
			status = 1
		}
	}()
	if err := function(); err != nil {
		callbackErrors.Store(syscall.Gettid(), err)
		return 1
	}
	return 0
}

func slice(values *C.float, count C.size_t) []float32 {
	return unsafe.Slice((*float32)(values), int(count))
}
