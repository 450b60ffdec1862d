//! `gymcall import` and `gymcall suppress`: what is left of a file when it was read.

use serde_json::json;

use super::stand::Stand;

const GYMS: &str = "Gym;Phone;Code;Note\nA;415 555 0101;;\nB;call us!;7;=1+1\nC;+14155550101;;\nD;\"never closed\n\
                    E;+19005550123;;\nF;1;2;3;4\n";

#[tokio::test(flavor = "multi_thread")]
async fn refused_rows_are_written_beside_the_file_and_come_in_once_they_are_mended() {
    let stand = Stand::start().await;
    let created = stand.gymcall(["campaign", "create", "Bad rows", "--json"]).await.expect(0).json();
    let id = created["id"].as_str().unwrap();
    stand.write("gyms.csv", GYMS);
    let rehearsed =
        stand.gymcall(["import", "gyms.csv", "--campaign", id, "--dry-run", "--json"]).await.expect(4).json();
    assert_eq!(
        (&rehearsed["accepted"], &rehearsed["rejected"], &rehearsed["dry_run"]),
        (&json!(1), &json!(4), &json!(true))
    );
    assert_eq!(rehearsed["rejected_file"], "gyms.csv.rejected.csv");
    let rejected = std::fs::read_to_string(stand.folder().join("gyms.csv.rejected.csv")).unwrap();
    let lines: Vec<&str> = rejected.lines().collect();
    // The file's own delimiter and header; a column that is called as one of ours keeps its name.
    assert_eq!(lines[0], "Gym;Phone;Code;Note;line;rejected_code;detail");
    assert!(lines[1].starts_with("B;call us!;7;'=1+1;3;invalid_phone;"), "{rejected}");
    assert!(lines[2].starts_with("\"D;\"\"never closed\";;;;5;malformed_row;"), "{rejected}");
    assert!(lines[3].starts_with("E;'+19005550123;;;6;premium;"), "{rejected}");
    assert!(lines[4].starts_with("\"F;1;2;3;4\";;;;7;malformed_row;"), "{rejected}");
    assert_eq!(lines.len(), 5);

    let mended = rejected.replace("call us!", "(415) 555-0102").replace("'+19005550123", "'+14155550103");
    stand.write("mended.csv", &mended);
    let told = stand.gymcall(["import", "mended.csv", "--campaign", id]).await.expect(4);
    assert!(
        told.out.contains("2 accepted (2 corrected)") && told.out.contains("mended.csv.rejected.csv"),
        "{}",
        told.out
    );
    // The rows of before are gone, once the file comes anew.
    stand.write("gyms.csv", "phone\n+14155550104\n");
    let replaced =
        stand.gymcall(["import", "gyms.csv", "--campaign", id, "--replace", "--json"]).await.expect(0).json();
    assert_eq!((&replaced["accepted"], &replaced["mode"]), (&json!(1), &json!("replace")));
    assert!(replaced["rejected_file"].is_null());
    let shown = stand.gymcall(["campaign", "show", id, "--json"]).await.expect(0).json();
    assert_eq!(shown["counters"]["total"], 1, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_suppressed_listed_exported_and_released() {
    let stand = Stand::start().await;
    let added =
        stand.gymcall(["suppress", "add", "(415) 555-0101", "--reason", "by mail", "--json"]).await.expect(0).json();
    assert_eq!((&added["phone_number"], &added["reason"]), (&json!("+14155550101"), &json!("by mail")));
    stand.write("never.csv", "phone,reason\n+14155550102,asked\n12,\n");
    let read = stand.gymcall(["suppress", "import", "never.csv"]).await.expect(4);
    assert!(read.out.contains("1 accepted") && read.out.contains("never.csv.rejected.csv"), "{}", read.out);
    let list = stand.gymcall(["suppress", "list"]).await.expect(0);
    assert!(list.out.contains("+14155550101") && list.out.contains("asked"), "{}", list.out);
    stand.gymcall(["suppress", "export", "-o", "out.csv"]).await.expect(0);
    let file = std::fs::read_to_string(stand.folder().join("out.csv")).unwrap();
    assert_eq!(stand.gymcall(["suppress", "export"]).await.expect(0).out, file);
    assert_eq!(file.lines().count(), 3);
    stand.gymcall(["suppress", "remove", "415/555-0101"]).await.expect(0);
    assert_eq!(stand.gymcall(["suppress", "list", "--json"]).await.expect(0).json()[0]["phone_number"], "+14155550102");
    stand.gymcall(["suppress", "remove", "+14155550101"]).await.expect(1);
    stand.gymcall(["suppress", "add", "12"]).await.expect(1);
}
