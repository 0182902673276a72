//! Signatures that others made: the examples of RFC 7515, and some by OpenSSL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;

/// RFC 7515 §A.2.
const RFC_RSA: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ\
    S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665x\
    smtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_RS256: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9C\
    UAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzD\
    wusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_RS256_SIGNED: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
    Ijp0cnVlfQ";

/// RFC 7515 §A.3.
const RFC_EC: (&str, &str) =
    ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
const RFC_ES256: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const RFC_ES256_SIGNED: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
    Ijp0cnVlfQ";

/// Keys and signatures that OpenSSL made, by way of Node.js.
const NODE_RSA: &str = "q3qJuyFzKRGl-vyJtE6bK8XxKf0ps9Kj7X5-lRKqxVAcrmjtvFiRLEvWT2jKfYsdu7nemSJuuLiTtLfa0MSAmXOzbRTdZaNT_cQ0Tjy-gEz0\
    Wc046WF1VDOTf2ZcI0b4o0m5dKw1vcPEeKq1YnpIu3v3oNADA959FJJ_9iFM0t1k9koWcXt6AhHz3jixbPTtbBUWAFGE8w7Zwr6XbE8FfDO_xwK558mmqg0\
    Fc5fzbuUs3Zpd_8huIMsHGyjPagSP9bNbJBuF8Y_eQmfFc33oA3hFwB2Nh-3zQliyasru_TYCeLgJXfU4cDtWji76IgSa1ppJ3OfEeurq2fs53gzXCw";
const NODE_EC: (&str, &str) = (
    "vFup8f4E9XxsXJccm7I8_SnyJX6GbPZzA4UVip1gpGgXgO0lHO6uqClB1Zt63O8n",
    "a8p0IpiVun10Zaf9TxnflQuYSt60ilOztKW6rb-exsbIHtO9j9d0CYnjPstY-ZDp",
);
const NODE_RS384: &str = "hJI-FeQCfpGmG9HcI2xtmJW9ZLqEcsqgXzPDr1BTYKUs1FXIcZ7WHFhcJ7_F9kCjD0TelJXSefwPOCFxcJnzyjjLe4nKkA9fR356arXWTKWG\
    5Ys3glU76CmyXmUJx2BqFrTd0_LZ_1yk0W2u9dNFqmUphRTwIdrmhOVwCxJWP1F2nIWYConyG4cZmon9a3lIgaA-8gS3xHa0ZV7b9igcslFBZ8_GGm2Pz2L\
    sxWnjLUso8gne2lkKueUkf6-lfPHi7SH_l-xbsa2RQumxnZvCvyVaaZvrmCIE4qI4FrJHF6AFjehXcV5P8LXqbQL6ehAFuyOg8YF3L_n0phliYiBEGA";
const NODE_RS512: &str = "nN89OoiJhk47P_KknOyEg9BXcnelLoKNy-QaiGPgnJ_PpbolyW_mwmxUSZG-wPkyzVEqQ6AqmcJmi3FUaER3FnCaPyya__C9nB-cdCgRwfQB\
    8IkoMvy1Nd2nB582XZNwxTGupQHQB-bt0xTe9CkbUtF2bB-SXviV6FHeL7knFdz1Zlm5o8mnWwz5Ng4Q997dRESouPFntkrerv9Nc8_HWYurV11IjWKCdJp\
    fkkkxTyAVIEWaZIPACe0Ht0bKmVVx2HBqVOxW3_-sK5t4GWs6P8W9_XwoDvASzax9mZrc6K7-N-gmxJKtwcR5013QkT-yeT_57aosr_VuqLDOL7v2rQ";
const NODE_ES384: &str = "_PIcpN3nxFka-UDDYRs3j_kMMeSWk8LAFuwbBI5MLyJT2TAD-baMSEsVLRWW_hmREr5PgBpbuasboUYGPs043KqMJMcf_Zt3HV3g68Lh_hh6\
    CsAE336iWPqyaEH26GAS";

fn rsa(modulus: &str) -> Value {
    json!({"kid": "it", "kty": "RSA", "n": modulus, "e": "AQAB"})
}

fn ec(curve: &str, (x, y): (&str, &str)) -> Value {
    json!({"kid": "it", "kty": "EC", "crv": curve, "x": x, "y": y})
}

#[test]
fn signatures_of_others() {
    for (name, key, message, signature) in [
        ("RS256", rsa(RFC_RSA), RFC_RS256_SIGNED, RFC_RS256),
        ("ES256", ec("P-256", RFC_EC), RFC_ES256_SIGNED, RFC_ES256),
        ("RS384", rsa(NODE_RSA), "node signs RS384", NODE_RS384),
        ("RS512", rsa(NODE_RSA), "node signs RS512", NODE_RS512),
        ("ES384", ec("P-384", NODE_EC), "node signs ES384", NODE_ES384),
    ] {
        let key = Key::read(&key).unwrap();
        let mut signature = decode(signature).unwrap();
        for algorithm in ALGORITHMS {
            let fits = key.verifies(algorithm, message.as_bytes(), &signature);
            match (algorithm.name == name, algorithm.name[..2] == name[..2]) {
                (true, _) => assert!(fits.unwrap(), "{name}"),
                (false, true) if name.starts_with("RS") => assert!(!fits.unwrap(), "{name}"),
                _ => assert_eq!(fits.unwrap_err().to_string(), "the token was refused: its algorithm is not its key's"),
            }
        }
        let algorithm = Algorithm::named(name).unwrap();
        assert!(!key.verifies(algorithm, b"another message", &signature).unwrap());
        assert!(!key.verifies(algorithm, message.as_bytes(), &signature[1..]).unwrap());
        assert!(!key.verifies(algorithm, message.as_bytes(), b"").unwrap());
        signature[7] ^= 1;
        assert!(!key.verifies(algorithm, message.as_bytes(), &signature).unwrap());
    }
}

#[test]
fn which_keys_are_taken() {
    let with = |mut key: Value, name: &str, value: Value| {
        key[name] = value;
        key
    };
    let rsa = || rsa(RFC_RSA);
    let ec = || ec("P-256", RFC_EC);
    let long = "AQAB".repeat(342);
    for (key, taken) in [
        (rsa(), true),
        (with(rsa(), "use", json!("sig")), true),
        (with(rsa(), "use", json!("enc")), false),
        (with(rsa(), "use", json!(1)), false),
        (with(rsa(), "key_ops", json!(["verify"])), true),
        (with(rsa(), "key_ops", json!(["encrypt"])), false),
        (with(rsa(), "kid", Value::Null), false),
        (with(rsa(), "kty", json!("oct")), false),
        (with(rsa(), "kty", Value::Null), false),
        (with(rsa(), "n", json!(&RFC_RSA[4..])), false),
        (with(rsa(), "n", json!(format!("{RFC_RSA}=="))), false),
        (with(rsa(), "n", json!(long)), false),
        (with(rsa(), "e", Value::Null), false),
        (ec(), true),
        (with(ec(), "crv", json!("P-384")), false),
        (with(ec(), "crv", json!("P-521")), false),
        (with(ec(), "x", json!(&RFC_EC.0[4..])), false),
        (with(ec(), "y", json!("")), false),
        (json!("key"), false),
        (json!(null), false),
    ] {
        assert_eq!(Key::read(&key).is_some(), taken, "{key}");
    }
}

/// RFC 8725 §3.1: whatever the token's header has.
#[test]
fn a_key_for_one_algorithm_is_used_with_no_other() {
    let mut key = rsa(NODE_RSA);
    key["alg"] = json!("RS512");
    let key = Key::read(&key).unwrap();
    let verifies = |name: &str, signature: &str| {
        let message = format!("node signs {name}");
        key.verifies(Algorithm::named(name).unwrap(), message.as_bytes(), &decode(signature).unwrap())
    };
    assert!(verifies("RS512", NODE_RS512).unwrap());
    assert!(verifies("RS384", NODE_RS384).is_err());
}

#[test]
fn algorithms_that_are_not_taken() {
    for name in ["none", "None", "HS256", "HS384", "HS512", "rs256", "RS1", "PS256", "ES256K", "EdDSA", ""] {
        assert!(Algorithm::named(name).is_none(), "{name}");
    }
}
