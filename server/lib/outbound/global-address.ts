/**
 * Whether an address is globally reachable, by IANA's special-purpose address registries (RFC 6890 and its updates):
 * https://www.iana.org/assignments/iana-ipv4-special-registry and https://www.iana.org/assignments/iana-ipv6-special-registry.
 */
import { BlockList, isIP, isIPv4 } from 'node:net';

/** Ranges whose "Globally Reachable" is not "True" there, and those that are not unicast at all. */
const NOT_GLOBAL_IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private use
  '100.64.0.0/10', // shared address space
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local
  '172.16.0.0/12', // private use
  '192.0.0.0/24', // IETF protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relay anycast, deprecated
  '192.168.0.0/16', // private use
  '198.18.0.0/15', // benchmarking
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, limited broadcast
];
/** Exceptions within those: "Globally Reachable" is "True". */
const GLOBAL_IPV4 = ['192.0.0.9/32', '192.0.0.10/32'];

/** Of IPv6, `2000::/3` is global unicast; of all else the registry allows only the well-known prefix of NAT64. */
const UNICAST_IPV6 = ['2000::/3'];
const NOT_GLOBAL_IPV6 = [
  '2001::/23', // IETF protocol assignments, Teredo among them
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '3fff::/20', // documentation
];
const GLOBAL_IPV6 = [
  '2001:1::1/128', // Port Control Protocol anycast
  '2001:1::2/128', // TURN anycast
  '2001:1::3/128', // DNS-SD SRP anycast
  '2001:3::/32', // AMT
  '2001:4:112::/48', // AS112-v6
  '2001:20::/28', // ORCHIDv2
  '2001:30::/28', // drone remote identification
];
/** NAT64 (RFC 6052): the last 32 bits are an IPv4 address, and that is where it leads. */
const NAT64 = ['64:ff9b::/96'];

const ipv4 = { refused: blockList(NOT_GLOBAL_IPV4), excepted: blockList(GLOBAL_IPV4) };
const ipv6 = {
  unicast: blockList(UNICAST_IPV6),
  refused: blockList(NOT_GLOBAL_IPV6),
  excepted: blockList(GLOBAL_IPV6),
  nat64: blockList(NAT64),
};

/**
 * Whether packets to an address may leave for the Internet at large.
 * @param address as `dns.lookup` or `URL.hostname` gives it, without brackets; anything else is not reachable
 */
export function isGlobalAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !ipv4.refused.check(address) || ipv4.excepted.check(address);
    case 6:
      return isGlobalIPv6(address);
    default:
      return false;
  }
}

function isGlobalIPv6(address: string): boolean {
  // A zone makes sense on one link only.
  if (address.includes('%')) return false;
  const isIn = (list: BlockList) => list.check(address, 'ipv6');
  if (isIn(ipv6.nat64)) return isGlobalAddress(embeddedIPv4(address));
  return isIn(ipv6.unicast) && (!isIn(ipv6.refused) || isIn(ipv6.excepted));
}

/** The last 32 bits of an IPv6 address as an IPv4 address. */
function embeddedIPv4(address: string): string {
  const last = address.slice(address.lastIndexOf(':') + 1);
  if (isIPv4(last)) return last;
  // The URL parser writes it in one way (RFC 5952), in which `::` stands for zeros.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (tail === undefined ? head : `0:0:${tail}`).split(':').filter(Boolean).slice(-2);
  return groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

function blockList(subnets: string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', bits] = subnet.split('/');
    list.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6');
  }
  return list;
}
