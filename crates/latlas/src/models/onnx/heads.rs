//! What the inputs and outputs of a model file are: named by the user, or guessed from names and shapes.

use latlas_graph::{Graph, Port};

use super::Options;
use crate::error::{Error, Result};

/// Positions in the graph's inputs and outputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// The input that takes latents.
    pub latent: usize,
    /// The input that takes the condition.
    pub condition: Option<usize>,
    /// x, or the mean of p(x|z).
    pub mean: usize,
    /// Log variance.
    pub logvar: Option<usize>,
    /// Standard deviation.
    pub std: Option<usize>,
    /// Logits.
    pub logits: Option<usize>,
    /// log |det ∂x/∂z|.
    pub log_det: Option<usize>,
}

const LATENT_NAMES: &[&str] = &["z", "latent", "latents", "latent_sample", "noise", "code"];
const CONDITION_NAMES: &[&str] = &["c", "y", "cond", "condition", "label", "labels", "class", "context"];
const MEAN_NAMES: &[&str] = &["mean", "mu", "loc", "x_mean", "z_mean", "x", "recon", "reconstruction", "output", "sample"];
const LOGVAR_NAMES: &[&str] = &["logvar", "log_var", "log_variance", "logvariance", "lnvar"];
const STD_NAMES: &[&str] = &["std", "sigma", "stddev", "scale"];
const LOGITS_NAMES: &[&str] = &["logits", "logit"];
const LOG_DET_NAMES: &[&str] = &["log_det", "logdet", "log_abs_det", "logabsdet", "log_det_jacobian", "log_det_jac", "ldj", "ladj"];

impl Heads {
    /// Chooses among a graph's ports.
    ///
    /// # Errors
    /// A name that does not exist, or inputs that leave a choice.
    pub fn choose(graph: &Graph, options: &Options) -> Result<Self> {
        let (latent, condition) = inputs(graph, options)?;
        let named = |name: &Option<String>| name.as_ref().map(|name| graph.output(name)).transpose();
        let scalar = |port: &Port| port.shape.iter().product::<usize>() == 1;
        let [mean, logvar, std, logits, log_det] =
            [&options.mean, &options.logvar, &options.std, &options.logits, &options.log_det].map(named);
        let (mean, mut logvar, mut std, mut logits, mut log_det) = (mean?, logvar?, std?, logits?, log_det?);
        let mut taken: Vec<usize> = [mean, logvar, std, logits, log_det].into_iter().flatten().collect();
        let mut guess = |head: &mut Option<usize>, names: &[&str], fits: &dyn Fn(&Port) -> bool| {
            let found = graph.outputs.iter().position(|port| is_named(&port.name, names) && fits(port));
            if let Some(found) = found.filter(|found| head.is_none() && !taken.contains(found)) {
                *head = Some(found);
                taken.push(found);
            }
        };
        guess(&mut log_det, LOG_DET_NAMES, &scalar);
        guess(&mut logvar, LOGVAR_NAMES, &|_| true);
        guess(&mut std, STD_NAMES, &|_| true);
        guess(&mut logits, LOGITS_NAMES, &|_| true);
        let free = || (0..graph.outputs.len()).filter(|i| !taken.contains(i));
        let by_name = || free().find(|i| is_named(&graph.outputs[*i].name, MEAN_NAMES));
        // Logits alone are what the file computes.
        let mean = mean.or_else(by_name).or_else(|| free().next()).or(logits).ok_or_else(|| Error::Input {
            what: format!("no output of the model can be x: {}", list(&graph.outputs)),
            hint: Some("name it with --mean".into()),
        })?;
        let heads = Self { latent, condition, mean, logvar, std, logits, log_det };
        heads.check_shapes(graph)?;
        Ok(heads)
    }

    /// What every port was taken for, one line each.
    pub fn notes(&self, graph: &Graph) -> Vec<String> {
        let input = |i: usize, role: &str| format!("{role}: input {:?} {:?}", graph.inputs[i].name, graph.inputs[i].shape);
        let mut notes = vec![input(self.latent, "latents")];
        notes.extend(self.condition.map(|i| input(i, "condition")));
        for (i, port) in graph.outputs.iter().enumerate() {
            let roles = [
                (Some(self.mean), "x"),
                (self.logvar, "log variance"),
                (self.std, "standard deviation"),
                (self.logits, "logits"),
                (self.log_det, "log-determinant"),
            ];
            let roles: Vec<&str> = roles.iter().filter(|(head, _)| *head == Some(i)).map(|(_, role)| *role).collect();
            let role = if roles.is_empty() { "not used".to_string() } else { roles.join(", ") };
            notes.push(format!("{role}: output {:?} {:?}", port.name, port.shape));
        }
        notes
    }

    fn check_shapes(&self, graph: &Graph) -> Result<()> {
        let size = |i: usize| graph.outputs[i].shape.iter().product::<usize>();
        for (head, role) in [(self.logvar, "log variance"), (self.std, "standard deviation")] {
            if let Some(i) = head.filter(|i| size(*i) != size(self.mean) && size(*i) != 1) {
                let (spread, mean) = (&graph.outputs[i], &graph.outputs[self.mean]);
                return Err(Error::Shape {
                    what: format!("the {role} {:?} has shape {:?}, the mean {:?} {:?}", spread.name, spread.shape, mean.name, mean.shape),
                    hint: Some("name the outputs with --mean and --logvar or --std".into()),
                });
            }
        }
        match self.log_det.filter(|i| size(*i) != 1) {
            None => Ok(()),
            Some(i) => Err(Error::Shape {
                what: format!(
                    "the log-determinant {:?} has shape {:?}, expected one value a sample",
                    graph.outputs[i].name, graph.outputs[i].shape
                ),
                hint: None,
            }),
        }
    }
}

fn inputs(graph: &Graph, options: &Options) -> Result<(usize, Option<usize>)> {
    let named = |name: &Option<String>| name.as_ref().map(|name| graph.input(name)).transpose();
    let (latent, condition) = (named(&options.latent)?, named(&options.condition)?);
    let open: Vec<usize> = (0..graph.inputs.len()).filter(|i| graph.inputs[*i].default.is_none()).collect();
    let rest = |taken: Option<usize>| open.iter().copied().filter(|i| Some(*i) != taken).collect::<Vec<_>>();
    let ambiguous = || Error::Input {
        what: format!("the model has {} inputs, and which takes the latents is not clear: {}", open.len(), list(&graph.inputs)),
        hint: Some("name them with --input and --condition-input, or cut the decoder out with --from-tensor".into()),
    };
    let by_names = |names| {
        let found: Vec<usize> = open.iter().copied().filter(|i| is_named(&graph.inputs[*i].name, names)).collect();
        if let [one] = found[..] { Some(one) } else { None }
    };
    match (latent, condition, open.len()) {
        (_, _, 0) => Err(Error::Input { what: "the model has no input that varies".into(), hint: None }),
        (Some(latent), condition, _) => match (condition, &rest(Some(latent))[..]) {
            (Some(condition), [other]) if *other == condition => Ok((latent, Some(condition))),
            (None, []) => Ok((latent, None)),
            (None, [other]) => Ok((latent, Some(*other))),
            _ => Err(ambiguous()),
        },
        (None, Some(condition), 2) => rest(Some(condition)).first().map(|l| (*l, Some(condition))).ok_or_else(ambiguous),
        (None, None, 1) => Ok((open[0], None)),
        (None, None, 2) => match (by_names(LATENT_NAMES), by_names(CONDITION_NAMES)) {
            (Some(latent), Some(condition)) if latent != condition => Ok((latent, Some(condition))),
            _ => Err(ambiguous()),
        },
        _ => Err(ambiguous()),
    }
}

/// Whether a tensor has one of these names, or one with a prefix (`z_logvar`, `decoder/x`), case aside.
fn is_named(name: &str, names: &[&str]) -> bool {
    let name = name.to_lowercase();
    let last = name.rsplit(['/', '.', ':']).next().unwrap_or_default();
    names.iter().any(|n| last == *n || (n.len() > 2 && last.strip_suffix(n).is_some_and(|rest| rest.ends_with('_'))))
}

fn list(ports: &[Port]) -> String {
    ports.iter().map(|p| format!("{:?} {:?}", p.name, p.shape)).collect::<Vec<_>>().join(", ")
}
