// The C program that opens the saved network.
import { compile } from "./formula.js";

/** file: the name of the model file. input: the numbers of a row. outputs: their number. formula: of the activation, if there is one. */
export function program(file, input, outputs, formula) {
    const numbers = input.map((x) => (Number.isInteger(x) ? String(x) : `${x}f`));
    const lines = numbers.length > 8
        ? ["{", ...Array.from({ length: numbers.length / 8 }, (_, i) => `        ${numbers.slice(8 * i, 8 * i + 8).join(", ")},`), "    }"].join("\n")
        : `{${numbers.join(", ")}}`;
    const activation = formula === undefined ? "" : `
static float formula(float value, void *user_data) {
    const double z = value;
    (void)user_data;
    return (float)${compile(formula).c};
}
`;
    return `/* cc model.c -lbackprop -lm && ./a.out */
#include <backprop.h>
${formula === undefined ? "" : "#include <math.h>\n"}#include <stdio.h>
${activation}
int main(void) {
    float input[${input.length}] = ${lines}, output[${outputs}];
    bp_network *network;
${formula === undefined ? "" : '    bp_activation_register_scalar("formula", formula, NULL, NULL, NULL);\n'}    if (bp_network_load("${file}", &network) != BP_OK) return puts(bp_last_error_message()), 1;
    bp_network_predict(network, input, 1, output);
    for (int i = 0; i < ${outputs}; i++) printf("%.9g\\n", output[i]);
    bp_network_free(network);
}
`;
}
