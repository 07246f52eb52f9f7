// Reads scenes as JSON lines, and writes for each what iam-simulate decides: a line with the decision of each kind of
// policy by itself, or with an error.
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const everything = { Effect: 'Allow', Action: '*', Resource: '*' }
const everyone = { Effect: 'Allow', Principal: '*', Action: ['sts:AssumeRole', 'sts:TagSession'] }
const policy = (statement) => ({ Version: '2012-10-17', Statement: [statement] })

async function decide(request, identity, trust) {
  const simulation = {
    request: {
      principal: request.principal[0],
      action: request.action,
      resource: { resource: request.resource, accountId: request.resource.split(':')[4] },
      contextVariables: request.context,
    },
    identityPolicies: identity.map((policy, index) => ({ name: `policy ${index}`, policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: trust,
  }
  const response = await runSimulation(simulation, {})
  if (response.resultType !== 'single') throw new Error(JSON.stringify(response.errors ?? response.resultType))
  const ignored = response.result.ignoredContextKeys ?? []
  if (ignored.length > 0) throw new Error(`ignores ${ignored}`)
  return response.overallResult
}

async function decisions({ policies, request }) {
  const decided = {}
  if (policies.identity) decided.identity = await decide(request, policies.identity, policy(everyone))
  for (const kind of ['boundary', 'session']) {
    if (policies[kind]) decided[kind] = await decide(request, [policies[kind]], policy(everyone))
  }
  if (policies.trust) decided.trust = await decide(request, [policy(everything)], policies.trust)
  return decided
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await decisions(JSON.parse(line)).catch((error) => ({ error: error.message }))
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
