//! Ctrl-C and its kin: the first asks the run to stop, the second ends what still runs, the third leaves at once
//! (durability spec, section 7).

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::engine::{Interrupt, signal_name};
use crate::faculty::human::is_editing;
use crate::report::say;

/// Listens from now on. Without the right to listen, signals do what they always do: the run is killed and can be
/// gone on with.
pub(super) fn listen(interrupt: &Interrupt, grace: u64) {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
    let interrupt = interrupt.clone();
    let heard = move || {
        for signal in signals.forever() {
            // In an editor Ctrl-C has a meaning of its own.
            if signal == SIGINT && is_editing() {
                continue;
            }
            let name = signal_name(signal);
            match interrupt.ask(signal) {
                1 => say!(
                    "{name}: nothing new starts; what runs may end within {grace} s (once more to end it now)"
                ),
                2 => say!("{name}: running steps are ended; they run again on a resume"),
                _ => drop(emulate_default_handler(signal)),
            }
        }
    };
    let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(heard);
}
