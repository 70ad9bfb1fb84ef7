# A network learns exclusive or with a custom activation, the absolute value:
#     R CMD SHLIB backprop.c && Rscript xor.R
source(file.path(dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE))), "backprop.R"))

inputs <- rbind(c(0, 0), c(0, 1), c(1, 0), c(1, 1))
targets <- cbind(c(0, 1, 1, 0))
register_activation("absolute", abs, function(z) ifelse(z < 0, -1, 1))

net <- network(c(2, 4, 1), seed = 1)
set_activation(net, 1, "absolute")
for (epoch in 1:2000) train(net, inputs, targets, 0.5)
outputs <- predict(net, inputs)
cat(sprintf("%d xor %d = %.2f\n", as.integer(inputs[, 1]), as.integer(inputs[, 2]), outputs), sep = "")

# An error of a callback arrives here. The network is as before.
register_activation("broken", abs, function(z) stop("no derivative"))
set_activation(net, 1, "broken")
tryCatch(train(net, inputs, targets, 0.5), error = function(e) cat("a failing callback: ", conditionMessage(e), "\n", sep = ""))
set_activation(net, 1, "absolute")

tryCatch(predict(net, cbind(0, 0, 1)), error = function(e) cat("a wrong size: ", conditionMessage(e), "\n", sep = ""))
tryCatch(load_network("none.safetensors"), error = function(e) cat("a missing file: ", conditionMessage(e), "\n", sep = ""))

save_network(net, "xor.safetensors")
same <- identical(predict(load_network("xor.safetensors"), inputs), outputs)
cat("saved and loaded, it predicts the same: ", if (same) "yes" else "no", "\n", sep = "")
