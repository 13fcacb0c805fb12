//! Average run lengths by seeded simulation against the computed tables, within 3 %.

use crate::numbers::{Random, exact, golden, object};
use plimsoll::domain::detectors::{
    Cusum, CusumSettings, Detector, PageHinkley, PageHinkleySettings, Sides, Step, VarianceCusum,
    VarianceCusumSettings,
};

/// The tables were solved on a grid; at long runs up to about 1.5 % of them is the grid's.
const TOLERANCE: f64 = 0.03;

/// Mean observations until the first alarm.
fn run_length(
    runs: u32,
    seed: u64,
    fresh: impl Fn() -> Box<dyn Detector>,
    next: impl Fn(&mut Random) -> f64,
) -> f64 {
    let mut random = Random::new(seed);
    let mut observations = 0_u64;
    for _ in 0..runs {
        let mut detector = fresh();
        loop {
            observations += 1;
            if detector.update(next(&mut random)) != Step::Quiet {
                break;
            }
        }
    }
    observations as f64 / f64::from(runs)
}

fn near(found: f64, wanted: f64, what: &str) {
    println!("{what}: {found:.2}, table {wanted:.2}");
    assert!((found / wanted - 1.0).abs() < TOLERANCE, "{what}: {found} is not {wanted}");
}

fn cusum(k: f64, h: f64, sides: Sides) -> Box<dyn Detector> {
    Box::new(Cusum::new(CusumSettings { k, h, sides }))
}

#[test]
fn cusum_s_run_lengths_are_those_of_the_table() {
    // Known truth (an integral equation solved to six digits), so that this runs without any file.
    for (k, h, sides, shift, wanted) in [
        (0.5, 4.0, Sides::Both, 0.0, 167.68),
        (0.5, 5.0, Sides::Both, 0.0, 465.44),
        (0.5, 5.0, Sides::Up, 0.0, 930.89),
        (0.5, 5.0, Sides::Both, 0.25, 139.49),
        (0.5, 5.0, Sides::Both, 0.5, 38.00),
        (0.5, 5.0, Sides::Both, 1.0, 10.376),
        (0.5, 5.0, Sides::Both, 2.0, 4.009),
        (0.25, 8.0, Sides::Both, 0.0, 368.39),
        (0.5, 8.0, Sides::Both, 1.0, 16.372),
    ] {
        let found = run_length(12_000, 42, || cusum(k, h, sides), |random| random.normal() + shift);
        near(found, wanted, &format!("cusum k {k} h {h} {sides:?} shift {shift}"));
    }
}

#[test]
fn every_cusum_design_of_the_reference_file_is_met() {
    let Some(folder) = golden() else { return };
    let text = std::fs::read_to_string(folder.join("arl_reference.json")).unwrap();
    let mut met = 0;
    for (design, by_shift) in object(object(&text)["computed"].get()) {
        let Some(rest) = design.strip_prefix("cusum_") else { continue };
        let (sides, rest) = match rest.strip_prefix("one_sided_k") {
            Some(rest) => (Sides::Up, rest),
            None => (Sides::Both, rest.strip_prefix("two_sided_k").unwrap()),
        };
        let (k, h) = rest.split_once("_h").unwrap();
        let (k, h) = (exact(k), exact(h));
        for (shift, wanted) in object(by_shift.get()) {
            let (shift, wanted) = (exact(&shift), exact(wanted.get()));
            // Long runs are few and are left to the designs with short ones: a run of 70,000 tells nothing new.
            if wanted < 2_500.0 {
                let runs = if wanted > 300.0 { 6_000 } else { 12_000 };
                let found = run_length(runs, 7, || cusum(k, h, sides), |random| random.normal() + shift);
                near(found, wanted, &format!("{design} shift {shift}"));
                met += 1;
            }
        }
    }
    assert!(met >= 50, "{met}");
}

#[test]
fn variance_cusum_s_run_lengths_are_those_of_the_table() {
    for (grows, h, sigma, wanted) in [
        (1.5, 12.164_455_852_250_992, 1.0, 499.72),
        (1.5, 12.164_455_852_250_992, 1.5, 16.315),
        (1.5, 22.709_184_248_320_536, 1.5, 29.622),
        (2.0, 9.741_126_826_282_052, 1.0, 499.97),
        (2.0, 9.741_126_826_282_052, 2.0, 6.5945),
    ] {
        let k = VarianceCusumSettings::allowance(grows);
        let fresh = || -> Box<dyn Detector> { Box::new(VarianceCusum::new(VarianceCusumSettings { k, h })) };
        let found = run_length(12_000, 5, fresh, |random| random.normal() * sigma);
        near(found, wanted, &format!("variance cusum {grows} h {h:.2} sigma {sigma}"));
    }
}

#[test]
fn every_variance_design_of_the_reference_file_is_met() {
    let Some(folder) = golden() else { return };
    let text = std::fs::read_to_string(folder.join("arl_variance_reference.json")).unwrap();
    let file = object(&text);
    let designs: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(file["designs"].get()).unwrap();
    for design in designs {
        let design = object(design.get());
        let (k, h) = (exact(design["k"].get()), exact(design["h"].get()));
        let fresh = || -> Box<dyn Detector> { Box::new(VarianceCusum::new(VarianceCusumSettings { k, h })) };
        let mut cases = object(design["arl"].get());
        cases.insert("1".to_owned(), design["arl0"].clone());
        for (sigma, wanted) in cases {
            let (sigma, wanted) = (exact(&sigma), exact(wanted.get()));
            if wanted < 2_500.0 {
                let found = run_length(12_000, 9, fresh, |random| random.normal() * sigma);
                near(found, wanted, &format!("k {k:.4} h {h:.2} sigma {sigma}"));
            }
        }
    }
}

#[test]
fn page_hinkley_against_a_frozen_mean_has_the_run_lengths_of_the_cusum() {
    for (mode, wanted) in [(Sides::Up, 930.89), (Sides::Both, 465.44)] {
        let fresh = || -> Box<dyn Detector> {
            Box::new(PageHinkley::new(PageHinkleySettings {
                min_instances: 1,
                delta: 0.5,
                threshold: 5.0,
                alpha: 1.0,
                mode,
                reference: Some(0.0),
            }))
        };
        near(run_length(12_000, 13, fresh, Random::normal), wanted, &format!("page-hinkley {mode:?}"));
    }
}
