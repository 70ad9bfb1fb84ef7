/* names.c: the messages about names that do not exist. */
#include "activations.h"
#include "check.h"

static bp_network *network;
static bp_trainer *trainer;
static const float row[] = {0.5f, 0.25f};

static int32_t set_activation(const char *name) { return bp_network_set_activation(network, 1, name); }
static int32_t set_loss(const char *name) { return bp_network_set_loss(network, name); }
static int32_t set_optimizer(const char *name) { return bp_network_set_optimizer(network, name); }
static int32_t input_scaling(const char *name) { return bp_network_fit_scaling(network, name, "none", row, NULL, 1); }
static int32_t target_scaling(const char *name) { return bp_network_fit_scaling(network, "none", name, NULL, row, 1); }
static int32_t score(const char *name) {
    double value;
    return bp_network_score(network, name, row, row, 1, &value);
}
static int32_t set_option(const char *name) { return bp_network_set_option(network, name, 0.5); }
static int32_t get_option(const char *name) {
    double value;
    return bp_network_get_option(network, name, &value);
}
static int32_t set_trainer_option(const char *name) { return bp_trainer_set_option(trainer, name, 0.5); }
static int32_t check_activation(const char *name) {
    double worst;
    return bp_activation_check(name, &worst, NULL);
}
static int32_t set_destroy(const char *name) { return bp_activation_set_thread_safe(name, 1); }

typedef struct {
    int32_t (*call)(const char *name);
    const char *given, *part; /* part of the message */
} named;

static void expect(const named *cases, size_t count) {
    snapshot before = snapshot_of(network);
    for (size_t i = 0; i < count; i++) {
        EXPECT_ERROR(cases[i].call(cases[i].given), BP_ERROR_UNKNOWN_NAME);
        if (!EXPECT(strstr(bp_last_error_message(), cases[i].part))) printf("#   %s\n", bp_last_error_message());
        EXPECT(strstr(bp_last_error_message(), cases[i].given));
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void names_of_other_libraries_get_a_suggestion(void) {
    static const named cases[] = {
        {set_activation, "sigmoid",
         "no activation is named \"sigmoid\": did you mean \"logistic\"? bp_activation_name lists all"},
        {set_activation, "linear", "did you mean \"identity\"?"},
        {set_activation, "swish", "did you mean \"silu\"?"},
        {check_activation, "expit", "did you mean \"logistic\"?"},
        {set_loss, "mse", "no loss is named \"mse\": did you mean \"squared_error\"?"},
        {set_loss, "bce", "did you mean \"binary_cross_entropy\"?"},
        {set_loss, "categorical_crossentropy", "did you mean \"cross_entropy\"?"},
        {set_loss, "sparse_categorical_crossentropy", "did you mean \"cross_entropy\"?"},
        {set_loss, "binary_crossentropy", "did you mean \"binary_cross_entropy\"?"},
        {set_loss, "mean_squared_error", "did you mean \"squared_error\"?"},
        {set_loss, "BCELoss", "did you mean \"binary_cross_entropy\"?"},
        {set_loss, "CrossEntropyLoss", "did you mean \"cross_entropy\"?"},
        {set_loss, "MSELoss", "did you mean \"squared_error\"?"},
        {set_loss, "nll", "did you mean \"cross_entropy\"?"},
        {set_optimizer, "sgdm", "did you mean \"momentum\"?"},
        {set_optimizer, "nag", "did you mean \"nesterov\"?"},
        {set_optimizer, "rprop", "did you mean \"irprop_minus\"?"},
        {input_scaling, "zscore", "no scaling is named \"zscore\": did you mean \"standard\"?"},
        {target_scaling, "z-score", "did you mean \"standard\"?"},
        {input_scaling, "standardize", "did you mean \"standard\"?"},
        {input_scaling, "MinMaxScaler", "did you mean \"min_max\"?"},
        {target_scaling, "max_abs", "did you mean \"symmetric\"?"},
        {score, "acc", "no measure is named \"acc\": did you mean \"accuracy\"?"},
        {score, "mae", "did you mean \"mean_absolute_error\"?"},
        {score, "r2_score", "did you mean \"r2\"?"},
        {set_option, "l2", "no option of a network is named \"l2\": did you mean \"weight_decay\"? bp_option_info lists all"},
        {get_option, "rho", "did you mean \"rmsprop_alpha\"?"},
        {set_trainer_option, "validation_split", "did you mean \"validation_fraction\"?"},
        {set_trainer_option, "lr", "did you mean \"learning_rate\"?"},
        {set_trainer_option, "random_state", "did you mean \"seed\"?"},
    };
    expect(cases, sizeof cases / sizeof cases[0]);
}

static void case_and_punctuation_are_ignored_in_suggestions(void) {
    static const named cases[] = {
        {set_activation, "ReLU", "did you mean \"relu\"?"},
        {set_activation, "LeakyReLU", "did you mean \"leaky_relu\"?"},
        {set_activation, "Softmax", "did you mean \"softmax\"?"},
        {set_loss, "Cross-Entropy", "did you mean \"cross_entropy\"?"},
        {set_loss, "crossentropy", "did you mean \"cross_entropy\"?"},
        {set_optimizer, "Adam", "did you mean \"adam\"?"},
        {set_optimizer, "AdamW", "did you mean \"adamw\"?"},
        {set_optimizer, "SGD", "did you mean \"sgd\"?"},
        {set_optimizer, "iRprop-", "did you mean \"irprop_minus\"?"},
        {target_scaling, "minmax", "did you mean \"min_max\"?"},
        {target_scaling, "Auto", "did you mean \"auto\"?"},
        {score, "R2", "did you mean \"r2\"?"},
        {score, "R^2", "did you mean \"r2\"?"},
        {set_trainer_option, "learningRate", "did you mean \"learning_rate\"?"},
        {set_option, "beta_1", "did you mean \"beta1\"?"},
    };
    expect(cases, sizeof cases / sizeof cases[0]);
}

static void misspelled_names_get_the_nearest_name(void) {
    static const named cases[] = {
        {set_activation, "tahn", "did you mean \"tanh\"?"},
        {set_activation, "sofmax", "did you mean \"softmax\"?"},
        {set_activation, "logisitc", "did you mean \"logistic\"?"},
        {set_activation, "sigmiod", "did you mean \"logistic\"?"},
        {set_loss, "sqaured_eror", "did you mean \"squared_error\"?"},
        {set_loss, "squared", "did you mean \"squared_error\"?"},
        {set_optimizer, "momentun", "did you mean \"momentum\"?"},
        {set_optimizer, "adamm", "did you mean \"adam\"?"},
        {input_scaling, "standart", "did you mean \"standard\"?"},
        {score, "acuracy", "did you mean \"accuracy\"?"},
        {set_option, "wieght_decay", "did you mean \"weight_decay\"?"},
        {set_trainer_option, "epoch", "did you mean \"epochs\"?"},
        {set_trainer_option, "batchsise", "did you mean \"batch_size\"?"},
    };
    expect(cases, sizeof cases / sizeof cases[0]);
}

static void options_of_the_other_owner_are_reported(void) {
    static const named cases[] = {
        {set_option, "learning_rate",
         "no option of a network is named \"learning_rate\": \"learning_rate\" is an option of a trainer"},
        {get_option, "lr", "\"learning_rate\" is an option of a trainer"},
        {set_option, "epochs", "\"epochs\" is an option of a trainer"},
        {set_trainer_option, "weight_decay",
         "no option of a trainer is named \"weight_decay\": \"weight_decay\" is an option of a network"},
        {set_trainer_option, "momentum", "\"momentum\" is an option of a network"},
    };
    expect(cases, sizeof cases / sizeof cases[0]);
}

static void settings_that_are_not_options_get_their_function(void) {
    static const named cases[] = {
        {set_option, "batchnorm",
         "no option of a network is named \"batchnorm\": call bp_network_set_batchnorm. bp_option_info"},
        {set_option, "batch_norm", "call bp_network_set_batchnorm."},
        {get_option, "dropout", "call bp_network_set_dropout."},
        {set_option, "seed", "call bp_network_initialize."},
        {set_option, "loss", "call bp_network_set_loss."},
        {set_option, "optimizer", "call bp_network_set_optimizer."},
        {set_trainer_option, "dropout", "call bp_network_set_dropout."},
        {set_option, "activation", "call bp_network_set_activation."},
        {set_option, "scaling", "call bp_network_fit_scaling."},
    };
    expect(cases, sizeof cases / sizeof cases[0]);
}

static void names_similar_to_no_other_get_the_list(void) {
    static const named cases[] = {
        {set_activation, "fourier", "no activation is named \"fourier\": bp_activation_name lists all"},
        {set_loss, "hinge", "no loss is named \"hinge\": bp_loss_name lists all"},
        {set_optimizer, "lion",
         "the names are \"sgd\", \"momentum\", \"nesterov\", \"rmsprop\", \"adam\", \"adamw\", \"irprop_minus\", \"lbfgs\", "
         "\"levenberg_marquardt\", \"bayesian_regularization\""},
        {target_scaling, "robust", "the names are \"none\", \"standard\", \"min_max\", \"symmetric\", \"auto\""},
        {score, "f1", "the names are \"accuracy\", \"r2\", \"mean_absolute_error\""},
        {score, "mse", "no measure is named \"mse\": the names are \"accuracy\""}, /* not the mean absolute error */
        {score, "RMSE", "the names are"},
        {set_option, "fish", "no option of a network is named \"fish\": bp_option_info lists all"},
        {set_loss, "", "no loss is named \"\": bp_loss_name lists all"},
        {set_loss, "??", "no loss is named \"??\": bp_loss_name lists all"},
        {set_activation, "\xff\xfe", "bp_activation_name lists all"},
    };
    snapshot before = snapshot_of(network);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        EXPECT_ERROR(cases[i].call(cases[i].given), BP_ERROR_UNKNOWN_NAME);
        if (!EXPECT(strstr(bp_last_error_message(), cases[i].part))) printf("#   %s\n", bp_last_error_message());
    }
    EXPECT(snapshot_holds(before, network));
    free(before.bytes);
}

static void registered_activations_are_suggested_too(void) {
    static const named cases[] = {{set_activation, "names.bnd", "did you mean \"names.bend\"?"},
                                  {check_activation, "namesbend", "did you mean \"names.bend\"?"},
                                  {set_destroy, "names.bent", "did you mean \"names.bend\"?"},
                                  {bp_activation_unregister, "names.bends", "did you mean \"names.bend\"?"}};
    EXPECT_OK(bp_activation_register_scalar("names.bend", bend, bend_slope, NULL, NULL));
    expect(cases, sizeof cases / sizeof cases[0]);
    EXPECT_OK(bp_activation_unregister("names.bend"));
    EXPECT_ERROR(set_activation("names.bnd"), BP_ERROR_UNKNOWN_NAME);
    EXPECT(!strstr(bp_last_error_message(), "names.bend"));
}

/* Long names are quoted up to a limit, and get no suggestion. */
static void long_names_are_quoted_without_a_suggestion(void) {
    static char name[5000];
    memset(name, 'a', sizeof name - 1);
    EXPECT_ERROR(set_loss(name), BP_ERROR_UNKNOWN_NAME);
    EXPECT_ERROR(set_option(name), BP_ERROR_UNKNOWN_NAME);
    EXPECT(!strstr(bp_last_error_message(), "did you mean"));
}

int main(void) {
    const size_t sizes[] = {2, 2};
    network = check_network(sizes, 2, 1);
    EXPECT_OK(bp_trainer_create(&trainer));
    CLAIM(names_of_other_libraries_get_a_suggestion);
    CLAIM(case_and_punctuation_are_ignored_in_suggestions);
    CLAIM(misspelled_names_get_the_nearest_name);
    CLAIM(options_of_the_other_owner_are_reported);
    CLAIM(settings_that_are_not_options_get_their_function);
    CLAIM(names_similar_to_no_other_get_the_list);
    CLAIM(registered_activations_are_suggested_too);
    CLAIM(long_names_are_quoted_without_a_suggestion);
    bp_trainer_free(trainer);
    bp_network_free(network);
    return check_end();
}
