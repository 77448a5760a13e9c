import assert from 'node:assert/strict'

import { BpfObject, inNetworkNamespace, interfaceIndex } from './mod.ts'
import { compile } from './testdata/compile.ts'
import { live } from './testdata/live.ts'
import { NetworkPair } from './testdata/network-pair.ts'

const PORT = 34567

function open(): BpfObject {
  const object = BpfObject.open(compile('packet_count'))
  object.globals('.rodata').set('port', PORT)
  object.load()
  return object
}

live('BpfProgram attachTcx sees packets of loopback and veth, both ways, until it is detached', () => {
  using pair = new NetworkPair('tcx')
  using object = open()
  const program = object.program('count_tcx')
  const variables = object.globals('.bss')
  inNetworkNamespace(pair.path, () => {
    const loopback = program.attachTcx(interfaceIndex('lo'), 'ingress')
    assert.equal(loopback.kind, 'tcx')
    assert.equal(loopback.interfaceIndex, 1)
    pair.send('here', '127.0.0.1', PORT, 3)
    assert.equal(variables.get('tcx_count'), 3n)
    loopback.detach()
    loopback.detach()
    pair.send('here', '127.0.0.1', PORT, 3)
    assert.equal(variables.get('tcx_count'), 3n)

    const veth = interfaceIndex('veth0')
    using _ingress = program.attachTcx(veth, 'ingress')
    using _egress = program.attachTcx(veth, 'egress')
    assert.equal(program.links.size, 2)
    pair.send('there', '10.77.0.1', PORT, 2)
    assert.equal(variables.get('tcx_count'), 5n)
    pair.send('here', '10.77.0.2', PORT, 4)
    assert.equal(variables.get('tcx_count'), 9n)
  })
  assert.equal(program.links.size, 0)
})

live('BpfProgram attachTcx stands first or last as asked', () => {
  using pair = new NetworkPair('order')
  using object = open()
  const variables = object.globals('.bss')
  inNetworkNamespace(pair.path, () => {
    const veth = interfaceIndex('veth0')
    object.program('count_tcx').attachTcx(veth, 'ingress')
    const first = object.program('stop').attachTcx(veth, 'ingress', { position: 'first' })
    pair.send('there', '10.77.0.1', PORT, 2)
    assert.equal(variables.get('tcx_count'), 0n)
    first.detach()
    object.program('stop').attachTcx(veth, 'ingress', { position: 'last' })
    pair.send('there', '10.77.0.1', PORT, 2)
    assert.equal(variables.get('tcx_count'), 2n)
  })
})

live('BpfProgram attachXdp runs native on veth, generic on loopback, and auto says which it took', () => {
  using pair = new NetworkPair('xdp')
  using object = open()
  const program = object.program('count_xdp')
  const variables = object.globals('.bss')
  inNetworkNamespace(pair.path, () => {
    {
      using native = program.attachXdp(interfaceIndex('veth0'), 'native')
      assert.deepEqual([native.kind, native.mode], ['xdp', 'native'])
      pair.send('there', '10.77.0.1', PORT, 3)
      assert.equal(variables.get('xdp_count'), 3n)
      assert.throws(() => program.attachXdp(interfaceIndex('veth0'), 'native'),
        { code: 'EBUSY', message: /another XDP program is attached/ })
    }
    pair.send('there', '10.77.0.1', PORT, 3)
    assert.equal(variables.get('xdp_count'), 3n)
    {
      using generic = program.attachXdp(1, 'generic')
      assert.equal(generic.mode, 'generic')
      pair.send('here', '127.0.0.1', PORT, 2)
      assert.equal(variables.get('xdp_count'), 5n)
    }
    assert.throws(() => program.attachXdp(1, 'native'),
      { code: 'EOPNOTSUPP', message: /native: operation not supported .*; the driver has no native XDP/ })
    assert.equal(program.attachXdp(1, 'auto').mode, 'generic')
    assert.equal(program.attachXdp(interfaceIndex('veth0'), 'auto').mode, 'native')
  })
})

live('BpfProgram attachTc removes its filter, and the qdisc if it made it and nobody else uses it', () => {
  using pair = new NetworkPair('clsact')
  using object = open()
  const program = object.program('count_tc')
  const variables = object.globals('.bss')
  const qdisc = (): boolean => /clsact/.test(pair.run('here', 'tc', 'qdisc', 'show', 'dev', 'veth0'))
  const filters = (): string => pair.run('here', 'tc', 'filter', 'show', 'dev', 'veth0', 'ingress')
  inNetworkNamespace(pair.path, () => {
    const veth = interfaceIndex('veth0')
    const ours = program.attachTc(veth, 'ingress', { handle: 7, priority: 3 })
    assert.equal(ours.kind, 'tc')
    assert.match(filters(), /pref 3 bpf .*handle 0x7/)
    pair.send('there', '10.77.0.1', PORT, 3)
    assert.equal(variables.get('tc_count'), 3n)
    assert.throws(() => program.attachTc(veth, 'ingress', { handle: 7, priority: 3 }), { code: 'EEXIST' })
    ours.detach()
    assert.equal(qdisc(), false)

    const first = program.attachTc(veth, 'ingress')
    const second = program.attachTc(veth, 'egress')
    first.detach()
    assert.equal(qdisc(), true)
    pair.send('here', '10.77.0.2', PORT, 2)
    assert.equal(variables.get('tc_count'), 5n)
    second.detach()
    // The second found a qdisc that was there before it, so it stays.
    assert.equal(qdisc(), true)
    const third = program.attachTc(veth, 'ingress')
    third.detach()
    assert.equal(qdisc(), true)
    assert.equal(filters(), '')
  })
})

live('BpfProgram attach to an interface or with a program of a wrong kind says what is wrong', () => {
  using pair = new NetworkPair('wrong')
  using object = open()
  inNetworkNamespace(pair.path, () => {
    assert.throws(() => interfaceIndex('eth9'),
      { code: 'ENODEV', message: /^Cannot find the network interface "eth9": .*; run "ip link" to list/ })
    assert.throws(() => object.program('count_tcx').attachTcx(9999, 'ingress'),
      { code: 'ENODEV', message: /Cannot attach "count_tcx" to interface 9999 \(TCX ingress\)/ })
    assert.throws(() => object.program('count_xdp').attachTcx(1, 'ingress'), { code: 'EINVAL' })
    assert.throws(() => object.program('count_xdp').attachXdp(9999), /no interface has that index/)
    assert.throws(() => object.program('count_tc').attachTc(9999, 'ingress'), /no interface has that index/)
    assert.throws(() => object.program('count_socket').attachSocketFilter(9999), { code: 'ENODEV' })
  })
  assert.throws(() => inNetworkNamespace('/run/netns/none-of-that-name', () => 0), { code: 'ENOENT' })
})

live('BpfProgram attachSocketFilter sees what one interface or all of them receive and send', () => {
  using pair = new NetworkPair('socket')
  using object = open()
  const program = object.program('count_socket')
  const variables = object.globals('.bss')
  inNetworkNamespace(pair.path, () => {
    const one = program.attachSocketFilter(interfaceIndex('veth0'))
    assert.equal(one.kind, 'socket_filter')
    pair.send('there', '10.77.0.1', PORT, 3)
    pair.send('here', '127.0.0.1', PORT, 3)
    assert.equal(variables.get('socket_count'), 3n)
    one.detach()
    using all = program.attachSocketFilter(0)
    assert.equal(all.interfaceIndex, undefined)
    pair.send('there', '10.77.0.1', PORT, 1)
    // A packet on loopback is sent and received there.
    pair.send('here', '127.0.0.1', PORT, 1)
    assert.equal(variables.get('socket_count'), 6n)
  })
  pair.send('there', '10.77.0.1', PORT, 1)
  assert.equal(variables.get('socket_count'), 6n)
})

live('BpfObject close detaches what its programs have attached', () => {
  using pair = new NetworkPair('close')
  const object = open()
  const { id } = object.program('count_tcx').info()
  inNetworkNamespace(pair.path, () => {
    object.program('count_tcx').attachTcx(1, 'ingress')
    object.program('count_xdp').attachXdp(1)
  })
  assert.equal(linksOf(pair, id), 1)
  object.close()
  assert.equal(linksOf(pair, id), 0)
})

function linksOf(pair: NetworkPair, programId: number): number {
  const output = pair.run('here', 'bpftool', '-j', 'link', 'show')
  const links = JSON.parse(output) as { readonly prog_id: number }[]
  return links.filter((link) => link.prog_id === programId).length
}
