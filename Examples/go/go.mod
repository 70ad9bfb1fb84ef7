module xor

go 1.19
