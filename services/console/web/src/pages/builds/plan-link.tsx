import { Link } from 'wouter';

export const PlanLink = ({ name }: { name: string }) => <Link href={`/plans/${encodeURIComponent(name)}`}>{name}</Link>;
