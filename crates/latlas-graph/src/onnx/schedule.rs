//! Which nodes are needed for the wanted tensors, and in which order.

use std::collections::{HashMap, HashSet};

use super::proto::{GraphProto, NodeProto};
use crate::{Error, Result};

/// Nodes in an order in which they can run, and the names that none of them makes.
pub struct Schedule<'a> {
    /// The needed nodes, each after those whose results it uses.
    pub order: Vec<&'a NodeProto>,
    /// Names that are needed and come from elsewhere.
    pub free: Vec<&'a str>,
}

/// Finds the nodes that the `wanted` tensors need, stopping at the `given` ones.
pub fn schedule<'a>(nodes: &'a [NodeProto], wanted: &[&'a str], given: &HashSet<&str>, depth: usize) -> Result<Schedule<'a>> {
    let mut maker: HashMap<&str, usize> = HashMap::new();
    for (i, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|n| !n.is_empty()) {
            if maker.insert(name, i).is_some() {
                return Err(Error::Malformed { what: format!("tensor {name:?} is made twice") });
            }
        }
    }
    let (mut order, mut free) = (Vec::new(), Vec::new());
    let mut seen_free = HashSet::new();
    // 0: not met, 1: its needs are being looked after, 2: in the order.
    let mut state = vec![0u8; nodes.len()];
    let mut stack: Vec<(usize, Vec<&str>)> = Vec::new();
    let mut roots: Vec<&str> = wanted.iter().rev().copied().collect();
    loop {
        let pending = match stack.last_mut() {
            Some((_, needs)) => needs,
            None => &mut roots,
        };
        let Some(name) = pending.pop() else {
            let Some((done, _)) = stack.pop() else { break };
            state[done] = 2;
            order.push(&nodes[done]);
            continue;
        };
        if given.contains(name) {
            continue;
        }
        match maker.get(name) {
            None => {
                if seen_free.insert(name) {
                    free.push(name);
                }
            }
            Some(&i) if state[i] == 0 => {
                state[i] = 1;
                let mut needs = Vec::new();
                needs_of(&nodes[i], &mut needs, depth)?;
                needs.reverse();
                stack.push((i, needs));
            }
            Some(&i) if state[i] == 1 => {
                return Err(Error::Malformed { what: format!("the graph has a cycle through node {:?}", nodes[i].label()) });
            }
            Some(_) => {}
        }
    }
    Ok(Schedule { order, free })
}

/// All names that a node may use, those used inside its branches included.
fn needs_of<'a>(node: &'a NodeProto, needs: &mut Vec<&'a str>, depth: usize) -> Result<()> {
    needs.extend(node.input.iter().map(String::as_str).filter(|n| !n.is_empty()));
    for branch in node.attribute.iter().filter_map(|a| a.g.as_deref()) {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Error::Malformed { what: format!("node {:?} nests graphs too deeply", node.label()) });
        };
        outer_names(branch, needs, depth)?;
    }
    Ok(())
}

fn outer_names<'a>(branch: &'a GraphProto, needs: &mut Vec<&'a str>, depth: usize) -> Result<()> {
    let mut used = Vec::new();
    for node in &branch.node {
        needs_of(node, &mut used, depth)?;
    }
    used.extend(branch.output.iter().map(|o| o.name.as_str()));
    let made = branch.node.iter().flat_map(|n| &n.output).map(String::as_str);
    let own: HashSet<&str> =
        made.chain(branch.initializer.iter().map(|t| t.name.as_str())).chain(branch.input.iter().map(|i| i.name.as_str())).collect();
    needs.extend(used.into_iter().filter(|n| !own.contains(n)));
    Ok(())
}
