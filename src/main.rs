//! The `normc` binary: everything is in the library, this hands over arguments and returns the exit code.

fn main() -> std::process::ExitCode {
    normc::cli::main()
}
