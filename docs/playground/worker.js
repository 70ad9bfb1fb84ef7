// Trains in the background. The page asks for a frame: some epochs of training and the state after them. So training never runs
// ahead of the page, and nothing waits in a queue.
import { Session } from "./session.js";
import { snapshot } from "./snapshot.js";

let session;

const requests = {
    start({ settings, data }) {
        const next = new Session(settings, data); // a session that cannot be made leaves the old one
        session?.free();
        session = next;
        return {};
    },
    frame({ epochs, seconds, rate, shown, digit }) {
        let error;
        try {
            if (epochs > 0) session.train(epochs, seconds, rate);
        } catch (thrown) {
            error = thrown.message; // the network is as before the slice
        }
        const { network, data, epoch, run, ended } = session, measure = session.settings.kind === "numbers" ? "r2" : "accuracy";
        const score = (part) => part?.[1].length > 0 ? network.score(...part, measure) : undefined;
        return {
            ...snapshot(network, shown, digit), error, epoch, run, ended,
            losses: session.takeLosses(), score: score(data.training), validationScore: score(data.validation),
        };
    },
    save() { return { file: session.network.save() }; },
};

addEventListener("message", ({ data: { id, request, ...values } }) => {
    try {
        postMessage({ id, result: requests[request](values) });
    } catch (error) {
        postMessage({ id, error: error.message });
    }
});
postMessage({ ready: true }); // messages that came before this script were lost
