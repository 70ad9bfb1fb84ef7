# Networks for R. Matrices have one row for each row of data.
dyn.load(Sys.getenv("BACKPROP_SHIM", "backprop.so")) # made by R CMD SHLIB backprop.c

register_activation <- function(name, f, derivative) {
  invisible(.Call("register_activation", name, list(f, derivative)))
}

network <- function(sizes, seed = 1) {
  structure(list(handle = .Call("create", as.numeric(sizes), seed)), class = "network")
}

load_network <- function(path) structure(list(handle = .Call("load_network", path)), class = "network")

save_network <- function(network, path) invisible(.Call("save_network", network$handle, path))

set_activation <- function(network, layer, name) invisible(.Call("set_activation", network$handle, layer, name))

# One step on all rows. Returns the loss before it.
train <- function(network, inputs, targets, rate) invisible(.Call("train", network$handle, inputs, targets, rate))

predict.network <- function(object, inputs, ...) .Call("predict", object$handle, inputs)
