//! Runs wasm tests in node: the published runner, built from the registry instead of downloaded.

fn main() {
    if let Err(error) =
        wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(std::env::args_os())
    {
        eprintln!("{error:?}");
        std::process::exit(1);
    }
}
