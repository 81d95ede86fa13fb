/**
 * What can be inside of a packet without any dissector of tshark ever coming back to a header that filters look at, whatever the bytes are:
 * neither to Ethernet, ARP and IP nor to TCP, UDP and ICMP. A list holds what has been looked at; all else counts as dangerous.
 */
import { complementOf, setOf, unionOf, type NumberSet } from '../predicate/sets.js';
import { DISSECTED_PORTS } from './tcp-ports.js';

/** HTTP goes back when a request asks for a tunnel, by a method that begins so. */
export const HTTP_PORTS: NumberSet = setOf([80, 8080]);
export const TUNNEL_METHODS: NumberSet = setOf(['CONN', 'SSTP'].map((method) => Buffer.from(method).readUInt32BE()));

/**
 * TCP ports whose dissector takes every payload and hands it on to nothing that goes back: FTP, SSH, Telnet, DNS, Kerberos, BGP, MQTT, MySQL, PostgreSQL; TLS,
 * of which only what is encrypted goes on; and HTTP.
 */
export const TCP_PORTS: NumberSet = unionOf([setOf([20, 21, 22, 23, 53, 88, 179, 443, 465, 636, 853, 993, 995, 1883, 3306, 5432, 8883]), HTTP_PORTS]);

/** Ports of no dissector. What the other port may be: which of the two comes first depends on which packets of the connection tshark has seen. */
export const FREE_TCP_PORTS: NumberSet = complementOf(unionOf([[0, 1023], DISSECTED_PORTS]), 0xffff);

/** UDP ports, in the same way: DNS, DHCP, NTP, NetBIOS names, RIP, DHCPv6, SSDP, multicast DNS, LLMNR. */
export const UDP_PORTS: NumberSet = setOf([53, 67, 68, 123, 137, 520, 546, 547, 1900, 5353, 5355]);

/** Protocols of IP: IGMP, ESP (which stays encrypted), EIGRP, OSPF, VRRP. */
export const PROTOCOLS: NumberSet = setOf([2, 50, 88, 89, 112]);

/** PIM, whose registers carry packets: version and type of its other messages. */
export const PIM = { protocol: setOf([103]), others: setOf([0x20, 0x22, 0x23, 0x24, 0x25, 0x28]) };

/** EtherTypes: slow protocols (LACP), PPPoE discovery, EAPOL, LLDP, loopback tests. */
export const ETHER_TYPES: NumberSet = setOf([0x8809, 0x8863, 0x888e, 0x88cc, 0x9000]);

/** EtherTypes by which tshark takes a frame for something other than Ethernet, also behind tags: Cisco FabricPath, TTEthernet; and further tags. */
export const NO_ETHERNET: NumberSet = setOf([0x8903, 0x891d, 0x8100, 0x88a8, 0x88e7, 0x9100]);

/** Echoes. */
export const ICMP_TYPES: NumberSet = setOf([0, 8]);

/** Echoes, multicast listeners. Of neighbour discovery, options must be looked at. */
export const ICMPV6_TYPES: NumberSet = setOf([128, 129, 130, 131, 132, 143]);
