// xor.go: a network learns exclusive or with a custom activation, the absolute value.
//
//	go build && ./xor
package main

import (
	"errors"
	"fmt"
	"log"
	"reflect"
)

type absolute struct{}

func (absolute) Forward(z, a []float32) error {
	for i, z := range z {
		if z < 0 {
			z = -z
		}
		a[i] = z
	}
	return nil
}

func (absolute) Backward(z, a, da, dz []float32) error {
	for i, z := range z {
		if z < 0 {
			dz[i] = -da[i]
		} else {
			dz[i] = da[i]
		}
	}
	return nil
}

type broken struct{ absolute }

func (broken) Backward(z, a, da, dz []float32) error { return errors.New("no derivative") }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	inputs, targets := []float32{0, 0, 0, 1, 1, 0, 1, 1}, []float32{0, 1, 1, 0}
	check(Register("absolute", absolute{}))

	network, err := NewNetwork(1, 2, 4, 1)
	check(err)
	defer network.Close()
	check(network.SetActivation(1, "absolute"))
	for epoch := 0; epoch < 2000; epoch++ {
		check(network.Train(inputs, targets, 0.5))
	}
	outputs, err := network.Predict(inputs)
	check(err)
	for i, output := range outputs {
		fmt.Printf("%g xor %g = %.2f\n", inputs[2*i], inputs[2*i+1], output)
	}

	// The error of a callback arrives here. The network is as before.
	check(Register("broken", broken{}))
	check(network.SetActivation(1, "broken"))
	fmt.Println("a failing callback:", network.Train(inputs, targets, 0.5))
	check(network.SetActivation(1, "absolute"))

	_, err = network.Predict([]float32{0, 0, 1})
	fmt.Println("a wrong size:", err)
	_, err = Load("none.safetensors")
	fmt.Println("a missing file:", err)

	check(network.Save("xor.safetensors"))
	loaded, err := Load("xor.safetensors")
	check(err)
	again, err := loaded.Predict(inputs)
	check(err)
	if reflect.DeepEqual(again, outputs) {
		fmt.Println("saved and loaded, it predicts the same: yes")
	}
}
