//! Golden reports: the whole result of every preset, as text. They change only on purpose
//! (`cargo xtask bless`), and then with the engine's revision.

mod support;

use agent_chaos_core::Run;
use support::short_presets;

#[test]
fn every_preset_gives_its_golden_report() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, profile) in short_presets(50_000) {
        let path = format!("{folder}/{name}.json");
        let now = format!("{:#}\n", Run::new(&profile).finish().to_json());
        if bless {
            std::fs::write(&path, &now).expect("the folder is writable");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        if golden != now {
            let line = golden.lines().zip(now.lines()).position(|(a, b)| a != b);
            wrong.push(format!(
                "{name}: first difference at line {:?}",
                line.map(|l| l + 1)
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
