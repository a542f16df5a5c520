/** IPv4 blocks, as far as the network's configuration needs them. */

export interface Cidr {
  /** First address of the block. */
  readonly first: number;
  readonly prefixLength: number;
}

/** `undefined` for anything but a whole block: `10.0.1.5/24` names an address inside one and is refused. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (match === null) {
    return undefined;
  }
  const [octets, prefixLength] = [match.slice(1, 5).map(Number), Number(match[5])];
  if (octets.some((octet) => octet > 255) || prefixLength > 32) {
    return undefined;
  }
  const first = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  return first % size(prefixLength) === 0 ? { first, prefixLength } : undefined;
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return inner.first >= outer.first && last(inner) <= last(outer);
}

export function overlap(one: Cidr, other: Cidr): boolean {
  return one.first <= last(other) && other.first <= last(one);
}

function size(prefixLength: number): number {
  return 2 ** (32 - prefixLength);
}

function last({ first, prefixLength }: Cidr): number {
  return first + size(prefixLength) - 1;
}
